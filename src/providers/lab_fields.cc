#include "providers/lab_fields.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::providers {

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

void LabFields::refuse(LabError error) {
  if (!failed()) error_ = std::move(error);
}

void LabFields::refuse(std::string code, std::string_view key, std::string message) {
  LabError error;
  error.code = std::move(code);
  error.param = path_of(key);
  error.message = std::move(message);
  refuse(std::move(error));
}

void LabFields::refuse_type(std::string_view key, std::string_view expected, Element found) {
  refuse(wording_.type(path_of(key), expected, found));
}

bool LabFields::require(std::string_view key) {
  if (failed()) return false;
  Element found;
  if (object_.at_key(key).get(found) == simdjson::SUCCESS) return true;
  refuse(wording_.missing(path_of(key)));
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
  refuse(wording_.word(path_of(key), *value, {allowed.begin(), allowed.size()}));
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
  LabRange range;
  range.integer = true;
  range.below = low;
  range.limit = fmt::format("{}", low ? least : most);
  range.value = fmt::format("{}", value);
  refuse(wording_.range(path_of(key), range));
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
  LabRange range;
  range.integer = false;
  range.below = low;
  range.limit = fmt::format("{}", low ? least : most);
  range.value = fmt::format("{}", value);
  refuse(wording_.range(path_of(key), range));
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

std::optional<LabFields::Object> LabFields::required_object(std::string_view key) {
  if (!require(key)) return std::nullopt;
  if (is_null(key)) {
    Element found;
    if (object_.at_key(key).get(found) == simdjson::SUCCESS) refuse_type(key, "an object", found);
    return std::nullopt;
  }
  return object(key);
}

std::optional<LabFields> LabFields::element(std::string_view key, Element one) {
  Object inside;
  if (one.get(inside) == simdjson::SUCCESS) return at(key, inside);
  refuse_type(key, "an object", one);
  return std::nullopt;
}

void LabFields::only(std::initializer_list<std::string_view> allowed) {
  for (const auto field : object_) {
    if (std::ranges::find(allowed, field.key) != allowed.end()) continue;
    refuse(wording_.extra(path_of(field.key)));
    return;
  }
}

}  // namespace sluice::providers
