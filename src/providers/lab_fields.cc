#include "providers/lab_fields.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::providers {

using simdjson::dom::element_type;

std::string_view lab_type_name(simdjson::dom::element element) {
  switch (element.type()) {
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

std::optional<LabFields::Element> LabFields::find(std::string_view key) const {
  Element found;
  if (failed() || object_.at_key(key).get(found) != simdjson::SUCCESS || found.is_null()) {
    return std::nullopt;
  }
  return found;
}

bool LabFields::is_null(std::string_view key) const {
  Element found;
  return object_.at_key(key).get(found) == simdjson::SUCCESS && found.is_null();
}

void LabFields::refuse(std::string code, std::string_view key, std::string message) {
  if (failed()) return;
  LabError error;
  error.code = std::move(code);
  error.param = path_of(key);
  error.message = std::move(message);
  error_ = std::move(error);
}

void LabFields::refuse_type(std::string_view key, std::string_view expected, Element found) {
  refuse("invalid_type", key,
         fmt::format("Invalid type for '{}': expected {}, but got {} instead.", path_of(key),
                     expected, lab_type_name(found)));
}

bool LabFields::require(std::string_view key) {
  if (failed()) return false;
  Element found;
  if (object_.at_key(key).get(found) == simdjson::SUCCESS) return true;
  refuse("missing_required_parameter", key,
         fmt::format("Missing required parameter: '{}'.", path_of(key)));
  return false;
}

std::optional<std::string_view> LabFields::text(std::string_view key) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  std::string_view value;
  if (found->get(value) == simdjson::SUCCESS) return value;
  refuse_type(key, "a string", *found);
  return std::nullopt;
}

std::optional<std::string_view> LabFields::word(std::string_view key,
                                                std::initializer_list<std::string_view> allowed) {
  const auto value = text(key);
  if (!value || std::ranges::find(allowed, *value) != allowed.end()) return value;
  std::string list;
  for (const std::string_view one : allowed)
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", one);
  refuse("invalid_value", key,
         fmt::format("Invalid value: '{}'. Supported values are: {}.", *value, list));
  return std::nullopt;
}

std::optional<bool> LabFields::boolean(std::string_view key) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  bool value = false;
  if (found->get(value) == simdjson::SUCCESS) return value;
  refuse_type(key, "a boolean", *found);
  return std::nullopt;
}

std::optional<int64_t> LabFields::integer(std::string_view key, int64_t least, int64_t most) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  int64_t value = 0;
  if (found->get(value) != simdjson::SUCCESS) {
    refuse_type(key, "an integer", *found);
    return std::nullopt;
  }
  if (value >= least && value <= most) return value;
  const bool low = value < least;
  refuse(low ? "integer_below_min_value" : "integer_above_max_value", key,
         fmt::format("Invalid '{}': integer {} value. Expected a value {} {}, but got {} instead.",
                     path_of(key), low ? "below minimum" : "above maximum",
                     low ? ">=" : "<=", low ? least : most, value));
  return std::nullopt;
}

std::optional<double> LabFields::number(std::string_view key, double least, double most) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  double value = 0;
  if (found->get(value) != simdjson::SUCCESS) {
    refuse_type(key, "a decimal", *found);
    return std::nullopt;
  }
  if (value >= least && value <= most) return value;
  const bool low = value < least;
  refuse(low ? "decimal_below_min_value" : "decimal_above_max_value", key,
         fmt::format("Invalid '{}': decimal {} value. Expected a value {} {}, but got {} instead.",
                     path_of(key), low ? "below minimum" : "above maximum",
                     low ? ">=" : "<=", low ? least : most, value));
  return std::nullopt;
}

std::optional<LabFields::Object> LabFields::object(std::string_view key) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  Object value;
  if (found->get(value) == simdjson::SUCCESS) return value;
  refuse_type(key, "an object", *found);
  return std::nullopt;
}

std::optional<LabFields::Array> LabFields::array(std::string_view key) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  Array value;
  if (found->get(value) == simdjson::SUCCESS) return value;
  refuse_type(key, "an array", *found);
  return std::nullopt;
}

std::optional<std::string_view> LabFields::required_text(std::string_view key) {
  if (!require(key)) return std::nullopt;
  if (is_null(key)) {
    Element found;
    if (object_.at_key(key).get(found) == simdjson::SUCCESS) refuse_type(key, "a string", found);
    return std::nullopt;
  }
  return text(key);
}

std::optional<LabFields::Array> LabFields::required_array(std::string_view key) {
  if (!require(key)) return std::nullopt;
  if (is_null(key)) {
    Element found;
    if (object_.at_key(key).get(found) == simdjson::SUCCESS) refuse_type(key, "an array", found);
    return std::nullopt;
  }
  return array(key);
}

}  // namespace sluice::providers
