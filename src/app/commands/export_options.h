// The arguments of `sluice export`.
#pragma once

#include "app/config_substitute.h"

namespace CLI {
class App;
}

namespace sluice::app {

// `exit_code` outlives the parse.
void add_export(CLI::App& app, const Surroundings& around, int& exit_code);

}  // namespace sluice::app
