// Who runs a command, for the record.
#pragma once

#include <string>

namespace sluice::app {

// The name of the process's user, or "uid 1000" where that has none.
std::string user_name();

}  // namespace sluice::app
