// The whole of a file, or the reason why not. Everything of a configuration that is read from the
// disk is read here: a directory, a missing file and a device without end are answers, never
// exceptions. Safe on any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::app {

// The message is the reason alone ("Is a directory"): the caller knows which file it named.
Result<std::string> file_content(std::string_view path);

}  // namespace sluice::app
