// The files that a configuration names, tried as the gateway will use them: certificates by TLS
// itself, the price file by its reader. Reads the disk; safe on any thread.
#pragma once

#include <vector>

#include "app/config.h"

namespace sluice::app {

// What of them would keep the gateway from starting.
std::vector<FileFault> faults_in_files(const Settings& settings);

}  // namespace sluice::app
