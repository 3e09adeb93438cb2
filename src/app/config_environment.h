// The start without configured providers: whose keys does the environment hold?
#pragma once

#include <string>
#include <vector>

#include "app/config_reader.h"

namespace sluice::app {

// Adds the providers found, in the order openai, openrouter, portkey; with none, the lab. Adds a
// tier `default` when no tier was configured, and makes the first of several the default provider
// when no other was. Returns what an operator should know about it.
std::vector<std::string> add_environment_providers(Reader& reader, const Surroundings& around);

}  // namespace sluice::app
