// Secrets that the gateway makes for itself and keeps in its data directory.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::app {

// A new file that only its owner may read, on the disk when this returns. Errors: it is there
// already, or cannot be made.
Result<void> write_secret_file(const std::string& path, const Secret& secret);

}  // namespace sluice::app
