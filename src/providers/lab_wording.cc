#include "providers/lab_wording.h"

#include <fmt/format.h>

namespace sluice::providers {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

LabError error_of(std::string code, std::string_view path, std::string message) {
  LabError error;
  error.code = std::move(code);
  error.param = path;
  error.message = std::move(message);
  return error;
}

LabError no_json(std::string_view why) {
  return error_of("", "", fmt::format("We could not parse the JSON body of your request: {}", why));
}

LabError no_object(element found) {
  return error_of(
      "", "",
      fmt::format("Invalid body: expected an object, but got {} instead.", lab_type_name(found)));
}

LabError missing(std::string_view path) {
  return error_of("missing_required_parameter", path,
                  fmt::format("Missing required parameter: '{}'.", path));
}

LabError extra(std::string_view path) {
  return error_of("unknown_parameter", path, fmt::format("Unknown parameter: '{}'.", path));
}

LabError type(std::string_view path, std::string_view expected, element found) {
  return error_of("invalid_type", path,
                  fmt::format("Invalid value for '{}': expected {}, but got {} instead.", path,
                              expected, lab_type_name(found)));
}

LabError word(std::string_view path, std::string_view value,
              std::span<const std::string_view> allowed) {
  std::string list;
  for (const std::string_view one : allowed) {
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", one);
  }
  return error_of("invalid_value", path,
                  fmt::format("Invalid value: '{}'. Supported values are: {}.", value, list));
}

LabError range(std::string_view path, const LabRange& range) {
  const std::string_view number = range.integer ? "integer" : "decimal";
  return error_of(
      fmt::format("{}_{}_value", number, range.below ? "below_min" : "above_max"), path,
      fmt::format("Invalid '{}': {} {} value. Expected a value {} {}, but got {} instead.", path,
                  number, range.below ? "below minimum" : "above maximum",
                  range.below ? ">=" : "<=", range.limit, range.value));
}

}  // namespace

std::string_view lab_type_name(element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
      return "an integer";
    case element_type::DOUBLE:
      return "a decimal number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

constinit const LabWording kLabOpenAiWording = {
    .no_json = no_json,
    .no_object = no_object,
    .missing = missing,
    .extra = extra,
    .type = type,
    .word = word,
    .range = range,
};

}  // namespace sluice::providers
