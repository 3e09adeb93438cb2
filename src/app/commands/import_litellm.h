// A LiteLLM proxy configuration (YAML: model_list, router_settings, litellm_settings) as providers,
// aliases and routes of Sluice.
// Format: docs.litellm.ai, "Proxy Config.yaml" and "Router - Load Balancing, Fallbacks".
#pragma once

#include "app/commands/import_draft.h"

namespace sluice::app {

void import_litellm(const Node& config, Draft& draft);

}  // namespace sluice::app
