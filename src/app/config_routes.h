// Tiers and aliases: from the names an operator wrote to the targets they stand for. Finds unknown
// providers and models, circles, clashing names, and targets that could never be reached.
#pragma once

#include "app/config_reader.h"

namespace sluice::app {

// Fills `targets` of every route in `reader.settings`, adding what is wrong to its diagnostics.
void resolve_routes(Reader& reader);

}  // namespace sluice::app
