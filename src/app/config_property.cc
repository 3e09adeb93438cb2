// What can be asked of the rows of the table, whatever they say.
#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <type_traits>

#include "app/config_table.h"

namespace sluice::app {
namespace {

std::string listed_text(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
  return "[" + out + "]";
}

std::string text_of(const std::vector<std::string>& value) {
  return listed_text(value);
}
std::string text_of(const Route& value) {
  return listed_text(value.entries);
}

std::string text_of(const std::vector<Header>& value) {
  std::vector<std::string> items;
  for (const auto& header : value)
    items.push_back(fmt::format("{}: {}", header.name, masked(header.value)));
  return listed_text(items);
}

}  // namespace

const Property* property(std::string_view key) {
  const auto rows = properties();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [key](const Property& row) { return row.key == key; });
  return found == rows.end() ? nullptr : &*found;
}

Match match(std::string_view path) {
  Match best;
  for (const auto& row : properties()) {
    const size_t star = row.key.find('*');
    if (star == std::string_view::npos) {
      if (row.key == path) return {.row = &row, .name = ""};
      continue;
    }
    const auto head = row.key.substr(0, star);
    const auto tail = row.key.substr(star + 1);
    if (path.size() <= head.size() + tail.size()) continue;
    if (!path.starts_with(head) || !path.ends_with(tail)) continue;
    // Names may hold dots, so the longest tail decides: "providers.a.b.kind" is about "a.b".
    const auto name = path.substr(head.size(), path.size() - head.size() - tail.size());
    if (best.row == nullptr || tail.size() > best.row->key.size() - head.size() - 1)
      best = {.row = &row, .name = std::string(name)};
  }
  return best;
}

std::string path_of(const Property& row, std::string_view name) {
  std::string path(row.key);
  const size_t star = path.find('*');
  if (star != std::string::npos) path.replace(star, 1, name);
  return path;
}

bool is_section(const Property& row) {
  return std::holds_alternative<Group>(row.slot) || std::holds_alternative<Each>(row.slot);
}

std::string env_name(const Property& row) {
  if (is_section(row) || row.key.find('*') != std::string_view::npos) return "";
  std::string name = fmt::format("SLUICE_{}", row.key);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return name;
}

bool holds_secrets(const Property& row) {
  const auto below = fmt::format("{}.", row.key);
  return std::any_of(properties().begin(), properties().end(), [&](const Property& other) {
    return other.secret && (other.key == row.key || other.key.starts_with(below));
  });
}

std::string_view leaf_of(std::string_view key) {
  const size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

std::string value_text(const Property& row, Settings& settings, std::string_view name) {
  if (!row.secret && settings.sealed.contains(path_of(row, name))) return "…";
  return std::visit(
      [&](auto slot) -> std::string {
        if constexpr (std::is_pointer_v<decltype(slot)>)
          return text_of(slot(settings, name));
        else
          return "";
      },
      row.slot);
}

}  // namespace sluice::app
