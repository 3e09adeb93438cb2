// Two configurations side by side, row by row of the table.
#include <set>
#include <type_traits>
#include <vector>

#include "app/config.h"
#include "app/config_table.h"

namespace sluice::app {
namespace {

// The names that may stand for the star of the rows below `each`.
std::vector<std::string> names_in(const Settings& settings, std::string_view each) {
  std::vector<std::string> names;
  if (each == "providers")
    for (const auto& item : settings.providers) names.push_back(item.name);
  if (each == "tiers")
    for (const auto& item : settings.tiers) names.push_back(item.name);
  if (each == "aliases")
    for (const auto& item : settings.aliases) names.push_back(item.name);
  if (each == "tasks")
    for (const auto& item : settings.tasks) names.push_back(item.name);
  if (each == "routes")
    for (const auto& item : settings.routes) names.push_back(item.name);
  if (each == "auto.phrases")
    for (const auto& item : settings.auto_.tasks) names.push_back(item.task);
  if (each == "organisations")
    for (const auto& item : settings.organisations) names.push_back(item.name);
  if (each == "teams")
    for (const auto& item : settings.teams) names.push_back(item.name);
  if (each == "keys")
    for (const auto& item : settings.keys) names.push_back(item.name);
  if (each == "prices.custom")
    for (const auto& item : settings.prices.custom) names.push_back(item.model);
  if (each == "prices.credits")
    for (const auto& item : settings.prices.credits) names.push_back(item.model);
  return names;
}

bool same(const Secret& a, const Secret& b) {
  return a.equals(b.reveal());
}
bool same(const Route& a, const Route& b) {
  return a.entries == b.entries && a.targets == b.targets;
}
template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}

bool differ(const Property& row, Settings& before, Settings& after, std::string_view name) {
  return std::visit(
      [&](auto slot) {
        if constexpr (std::is_pointer_v<decltype(slot)>)
          return !same(slot(before, name), slot(after, name));
        else
          return false;
      },
      row.slot);
}

// Copies, because reading a row makes the entry it asks for.
class Comparison {
 public:
  Comparison(const Settings& before, const Settings& after) : before_(before), after_(after) {}

  std::vector<Change> run() {
    for (const auto& row : properties())
      if (!is_section(row) && row.key.find('*') == std::string_view::npos) compare(row, "");
    for (const auto& row : properties())
      if (std::holds_alternative<Each>(row.slot)) compare_entries(row.key);
    return std::move(changes_);
  }

 private:
  void compare(const Property& row, std::string_view name) {
    if (!differ(row, before_, after_, name)) return;
    changes_.push_back(Change{.key = path_of(row, name),
                              .before = value_text(row, before_, name),
                              .after = value_text(row, after_, name),
                              .needs_restart = row.reload == Reload::Restart});
  }

  void compare_entries(std::string_view each) {
    const auto old_names = names_in(before_, each);
    const auto new_names = names_in(after_, each);
    const std::set<std::string> is_old(old_names.begin(), old_names.end());
    const std::set<std::string> is_new(new_names.begin(), new_names.end());
    for (const auto& name : old_names)
      if (!is_new.contains(name)) add(each, name, "defined", "removed");
    for (const auto& name : new_names) {
      if (!is_old.contains(name)) {
        add(each, name, "absent", "added");
        continue;
      }
      for (const auto& row : properties())
        if (!is_section(row) && row.key.starts_with(std::string(each) + ".*")) compare(row, name);
    }
  }

  void add(std::string_view each, const std::string& name, std::string before, std::string after) {
    changes_.push_back(Change{.key = std::string(each) + "." + name,
                              .before = std::move(before),
                              .after = std::move(after),
                              .needs_restart = false});
  }

  Settings before_;
  Settings after_;
  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> changes_between(const Settings& before, const Settings& after) {
  return Comparison(before, after).run();
}

std::string needing_restart(const std::vector<Change>& changes) {
  std::string out;
  for (const auto& change : changes) {
    if (!change.needs_restart) continue;
    if (!out.empty()) out += ", ";
    out += change.key;
  }
  return out;
}

}  // namespace sluice::app
