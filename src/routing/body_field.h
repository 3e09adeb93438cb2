// One member of a JSON object as a value that rules compare with: for Facts::field and
// Facts::metadata.
#pragma once

#include <string>
#include <string_view>

#include "routing/facts.h"

namespace sluice::routing {

// The member `name` at the top of `object`. Missing: it is not there, is an object or an array, or
// the text is no JSON object up to that point. Text with escapes is written to `scratch`; of a
// member that stands there twice the first counts.
Value body_field(std::string_view object, std::string_view name, std::string& scratch);

}  // namespace sluice::routing
