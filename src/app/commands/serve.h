// `sluice serve`: the gateway.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "app/esc_environments.h"

namespace sluice::app {

struct ServeArguments {
  std::string config_file;  // empty: configured by the environment alone
  std::vector<Override> overrides;
};

// Serves until it is told to stop; returns the exit code: 0 after a drain, 1 if it could not start,
// 2 for a configuration that is not valid.
// `around` opens the environments.
int serve(const ServeArguments& arguments, const Surroundings& around,
          EscEnvironments& environments);

}  // namespace sluice::app
