// The arguments of `sluice reprice` and `sluice reconcile`.
#pragma once

#include <CLI/CLI.hpp>

#include "app/config.h"

namespace sluice::app {

// Declares them; `exit_code` outlives the parse.
void add_books(CLI::App& app, const Surroundings& around, int& exit_code);

}  // namespace sluice::app
