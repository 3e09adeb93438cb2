// A value that a JSON Schema accepts: arguments of tool calls and structured replies.
//
// Knows type, properties, required, items, enum, const, $ref inside the document, anyOf, oneOf,
// allOf (its first branch), bounds and the usual string formats; patterns are not followed.
#pragma once

#include <simdjson.h>
#include <string>

namespace sluice::providers {

class LabRandom;

std::string lab_example(simdjson::dom::element schema, LabRandom& random);

}  // namespace sluice::providers
