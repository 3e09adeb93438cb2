#include <fmt/format.h>
#include <type_traits>
#include <utility>

#include "app/config_reference.h"
#include "app/config_table.h"

namespace sluice::app {
namespace {

// What a whole scalar may be instead of a literal: something with ${...} in it.
constexpr std::string_view kSubstituted = R"({"type":"string","pattern":"\\$\\{[^}]+\\}"})";

std::string word_pattern(Word word) {
  switch (word) {
    case Word::Any:
      return "";
    case Word::Name:
      return "^[A-Za-z0-9._-]{1,128}$";
    case Word::Model:
      return "^[A-Za-z0-9._/:@+-]{1,128}$";
    case Word::Target:
      return "^([A-Za-z0-9._/:@+-]{1,128}|[A-Za-z0-9._-]{1,126}/[*])$";
    case Word::HeaderName:
      return "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$";
  }
  return "";
}

std::string either(std::string literal) {
  return fmt::format("\"anyOf\":[{},{}]", literal, kSubstituted);
}

std::string text_type(const Property& row) {
  const auto pattern = word_pattern(row.word);
  if (pattern.empty()) return R"("type":"string","minLength":1)";
  return either(fmt::format(R"({{"type":"string","pattern":{}}})", json_quoted(pattern)));
}

std::string list_type(const Property& row) {
  const auto limits =
      std::holds_alternative<Field<Route>>(row.slot)
          ? fmt::format(",\"minItems\":{},\"maxItems\":{}", row.limits.min, row.limits.max)
          : std::string();
  return fmt::format(R"("type":"array","items":{{{}}}{})", text_type(row), limits);
}

template <class T>
std::string type_of(const Property& row) {
  if constexpr (std::is_enum_v<T>) {
    std::string names;
    for (const auto name : names_of(T{}))
      names += fmt::format("{}{}", names.empty() ? "" : ",", json_quoted(name));
    return either(fmt::format(R"({{"enum":[{}]}})", names));
  } else if constexpr (std::is_same_v<T, bool>) {
    return either(R"({"type":"boolean"})");
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return either(fmt::format(R"({{"type":"integer","minimum":{},"maximum":{}}})", row.limits.min,
                              row.limits.max));
  } else if constexpr (std::is_same_v<T, Duration>) {
    return either(
        R"({"type":"string","pattern":"^([0-9]+(\\.[0-9]+)? ?(ms|s|m|h)|0)$"},{"const":0})");
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return either(R"({"type":"string","pattern":"^[0-9]+(\\.[0-9]+)? ?([KMG]i?B|B)$"},)"
                  R"({"type":"integer","minimum":0})");
  } else if constexpr (std::is_same_v<T, Price>) {
    return either(R"({"type":"number","minimum":0})");
  } else if constexpr (std::is_same_v<T, BaseUrl>) {
    return either(R"({"type":"string","pattern":"^https?://[^/?#@]+(/[^?#]*)?$"})");
  } else if constexpr (std::is_same_v<T, Address>) {
    return either(
        R"({"type":"string","pattern":"^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]+$"})");
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return list_type(row);
  } else if constexpr (std::is_same_v<T, Route>) {
    return fmt::format(R"("anyOf":[{{{}}},{{{}}}])", text_type(row), list_type(row));
  } else if constexpr (std::is_same_v<T, std::vector<Header>>) {
    return fmt::format(
        R"("type":"object","propertyNames":{{"pattern":{}}},"additionalProperties":{{"type":"string"}})",
        json_quoted(word_pattern(row.word)));
  } else if constexpr (std::is_same_v<T, Percent>) {
    return either(R"({"type":"string","pattern":"^[0-9]+(\\.[0-9]+)?%$"})");
  } else if constexpr (std::is_same_v<T, WordMap>) {
    return R"("type":"object","additionalProperties":{"type":"string"})";
  } else if constexpr (std::is_same_v<T, Subtree>) {
    return row.word == Word::Any ? R"("type":["object","array"])" : R"("type":"object")";
  } else {
    return text_type(row);
  }
}

std::string indent(int depth) {
  return std::string(static_cast<size_t>(depth) * 2, ' ');
}

std::string schema_of(const Property& row, int depth);

// The body of an object with fixed keys: the rows one step below `key`.
std::string group_type(std::string_view key, int depth) {
  std::string members;
  std::string required;
  for (const auto& row : properties()) {
    auto leaf = row.key;
    if (!key.empty()) {
      if (!leaf.starts_with(key) || leaf.size() <= key.size() || leaf[key.size()] != '.') continue;
      leaf.remove_prefix(key.size() + 1);
    }
    if (leaf.find('.') != std::string_view::npos || leaf == "*") continue;
    members += fmt::format("{}\n{}{}: {}", members.empty() ? "" : ",", indent(depth + 1),
                           json_quoted(leaf), schema_of(row, depth + 1));
    if (row.required)
      required += fmt::format("{}{}", required.empty() ? "" : ",", json_quoted(leaf));
  }
  return fmt::format(R"("type":["object","null"],"additionalProperties":false,{}"properties":{{{})"
                     "\n{}}}",
                     required.empty() ? "" : fmt::format("\"required\":[{}],", required), members,
                     indent(depth));
}

std::string body_of(const Property& row, int depth) {
  if (std::holds_alternative<Group>(row.slot)) return group_type(row.key, depth);
  if (std::holds_alternative<Each>(row.slot))
    return fmt::format(
        R"("type":["object","null"],"propertyNames":{{"pattern":{}}},"additionalProperties":{})",
        json_quoted(word_pattern(row.word)),
        schema_of(*property(fmt::format("{}.*", row.key)), depth));
  return std::visit(
      [&row](auto slot) -> std::string {
        if constexpr (std::is_pointer_v<decltype(slot)>) {
          using Value = std::remove_cvref_t<decltype(slot(std::declval<Settings&>(), ""))>;
          return type_of<Value>(row);
        } else {
          return "";
        }
      },
      row.slot);
}

std::string schema_of(const Property& row, int depth) {
  std::string out = fmt::format("{{\"description\":{},", json_quoted(row.doc));
  if (!row.fallback.empty())
    out += fmt::format("\"default\":{},", std::holds_alternative<Field<int64_t>>(row.slot)
                                              ? std::string(row.fallback)
                                              : json_quoted(row.fallback));
  return out + body_of(row, depth) + "}";
}

}  // namespace

std::string json_schema() {
  return fmt::format(
      "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
      "  \"title\": \"Sluice configuration\",\n  {}\n}}\n",
      group_type("", 1));
}

}  // namespace sluice::app
