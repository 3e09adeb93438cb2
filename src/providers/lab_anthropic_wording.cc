// Anthropic's words for a wrong field: the path in dots, then what was expected.
#include <fmt/format.h>

#include "providers/lab_wording.h"

namespace sluice::providers {
namespace {

using simdjson::dom::element;

LabError said(std::string message) {
  LabError error;
  error.message = std::move(message);
  return error;
}

// What OpenAI's words call the types is turned into what Anthropic calls them.
struct TypeName {
  std::string_view expected;
  std::string_view name;
};
constexpr TypeName kTypes[] = {
    {"a string", "a valid string"},      {"a boolean", "a valid boolean"},
    {"an integer", "a valid integer"},   {"a decimal", "a valid number"},
    {"an object", "a valid dictionary"}, {"an array", "a valid list"},
};

LabError no_json(std::string_view why) {
  return said(fmt::format("The request body is not valid JSON: {}", why));
}

LabError no_object(element) {
  return said("Input should be a valid dictionary or object to extract fields from");
}

LabError missing(std::string_view path) {
  return said(fmt::format("{}: Field required", path));
}

LabError extra(std::string_view path) {
  return said(fmt::format("{}: Extra inputs are not permitted", path));
}

LabError type(std::string_view path, std::string_view expected, element) {
  std::string_view name = expected;
  for (const TypeName& one : kTypes) {
    if (one.expected == expected) name = one.name;
  }
  return said(fmt::format("{}: Input should be {}", path, name));
}

LabError word(std::string_view path, std::string_view, std::span<const std::string_view> allowed) {
  std::string list;
  for (size_t i = 0; i < allowed.size(); ++i) {
    const std::string_view joint = i == 0 ? "" : i + 1 == allowed.size() ? " or " : ", ";
    list += fmt::format("{}'{}'", joint, allowed[i]);
  }
  return said(fmt::format("{}: Input should be {}", path, list));
}

LabError range(std::string_view path, const LabRange& range) {
  return said(fmt::format("{}: Input should be {} than or equal to {}", path,
                          range.below ? "greater" : "less", range.limit));
}

}  // namespace

constinit const LabWording kLabAnthropicWording = {
    .no_json = no_json,
    .no_object = no_object,
    .missing = missing,
    .extra = extra,
    .type = type,
    .word = word,
    .range = range,
};

}  // namespace sluice::providers
