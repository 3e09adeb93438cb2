// How a provider words what is wrong with a field of a request. LabFields finds what is wrong; this
// says it. One per family of error messages, not one per face.
#pragma once

#include <cstddef>
#include <simdjson.h>
#include <span>
#include <string>
#include <string_view>

#include "providers/lab_error.h"

namespace sluice::providers {

// A number outside its bounds.
struct LabRange {
  bool integer = true;
  bool below = false;  // the least is `limit`, else the most
  std::string limit;
  std::string value;
};

struct LabWording {
  // `why` as the parser of JSON says it.
  LabError (*no_json)(std::string_view why);
  LabError (*no_object)(simdjson::dom::element found);
  LabError (*missing)(std::string_view path);
  LabError (*extra)(std::string_view path);
  LabError (*type)(std::string_view path, std::string_view expected, simdjson::dom::element found);
  LabError (*word)(std::string_view path, std::string_view value,
                   std::span<const std::string_view> allowed);
  LabError (*range)(std::string_view path, const LabRange& range);
};

// "a string", "an object", ...
std::string_view lab_type_name(simdjson::dom::element element);

// "Invalid type for 'messages[0].role': expected a string, but got null instead."
extern const LabWording kLabOpenAiWording;
// "messages.0.role: Input should be a valid string"
extern const LabWording kLabAnthropicWording;

}  // namespace sluice::providers
