// One value out of an open Pulumi ESC environment. Source of the format: what the REST API gives
// for a session, `{"properties": {NAME: NODE}}` with `{"value", "secret", "unknown", "trace"}` as
// each node, objects and lists nested below `value`; null where `value` is left out.
//
// Paths are those of the esc CLI: `openai.apiKey`, `servers[0].host`, `["a name"].key`.
//
// What a rotator keeps is an object with `current` and `previous`. A path that names neither goes
// on in `current`, so `rotated.apiKey` is the newest. Before the first rotation there is no
// `previous`: whatever is named in it is the empty text, as null is everywhere.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::app {

// As text: strings as they are, numbers and booleans as JSON writes them. Errors: `session` or
// `path` is not readable, there is no such value, it is no single value, or not known. They name
// the path, never a value.
Result<std::string> esc_value(std::string_view session, std::string_view path);

// Whether `path` can be read.
Result<void> check_esc_path(std::string_view path);

}  // namespace sluice::app
