// Secrets that the gateway makes for itself and keeps in its data directory.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::app {

// A new file that only its owner may read, on the disk when this returns. Errors: it is there
// already, or cannot be made.
Result<void> write_secret_file(const std::string& path, const Secret& secret);

// 64 hex digits out of a file that only its owner may read; made at the first call. Never written
// over: a file that is not what this program wrote is an error.
Result<Secret> kept_secret(const std::string& path);

}  // namespace sluice::app
