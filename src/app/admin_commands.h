// The arguments of `sluice keys`, `sluice admin-token`, `sluice bodies` and `sluice audit`.
#pragma once

#include "app/config_substitute.h"

namespace CLI {
class App;
}

namespace sluice::app {

// `exit_code` and `around` outlive the parse.
void add_admin_commands(CLI::App& app, const Surroundings& around, int& exit_code);

}  // namespace sluice::app
