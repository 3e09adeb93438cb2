// A Portkey config (JSON: strategies, targets, overrides) as a route of Sluice named `imported`.
// Format: docs.portkey.ai, "Config Object", and the config schema of github.com/Portkey-AI/gateway.
#pragma once

#include "app/commands/import_draft.h"

namespace sluice::app {

void import_portkey(const Node& config, Draft& draft);

}  // namespace sluice::app
