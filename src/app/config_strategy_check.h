// Routes with a strategy, `auto`, and all of routing together: what is wrong with them and where,
// so that no configuration passes `check` that the gateway could not start with.
#pragma once

#include "app/config_reader.h"

namespace sluice::app {

// Faults in the text of each route, names that stand for nothing, circles, restricted routes
// without a local target, phrases of `auto` that say nothing. To be called after resolve_routes().
void check_strategies(Reader& reader);

// The net below all other checks: makes the router as the gateway does at its start. Does nothing
// when something is known to be wrong.
void check_router(Reader& reader);

}  // namespace sluice::app
