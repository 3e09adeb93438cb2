// The whole of a file, or the reason why not. Everything of a configuration that is read from the
// disk is read here: a directory, a missing file and a device without end are answers, never
// exceptions. Safe on any thread, the writing of one file on one at a time.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::app {

// The message is the reason alone ("Is a directory"): the caller knows which file it named.
Result<std::string> file_content(std::string_view path);

// Readers see the old content or the new, also after a power cut. The message is as above.
Result<void> replace_file(const std::string& path, std::string_view content);

}  // namespace sluice::app
