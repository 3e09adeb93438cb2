// Tiers, aliases, tasks, routes and `auto` as the configuration has them, made into the router's
// options.
#pragma once

#include <vector>

#include "app/settings.h"
#include "base/result.h"
#include "routing/router.h"

namespace sluice::app {

// The phrases an operator gave each task, their weights apart from their words.
std::vector<routing::TaskRules> phrase_rules(const AutoSettings& settings);

// Errors name the setting at fault in `param`.
Result<routing::RouterOptions> router_options(const Settings& settings);

}  // namespace sluice::app
