// Random bytes that this installation makes once and keeps.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::app {

// 64 hex digits out of a file that only its owner may read; made at the first call. Never written
// over: a file that is not what this program wrote is an error.
Result<Secret> kept_secret(const std::string& path);

}  // namespace sluice::app
