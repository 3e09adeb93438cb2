// What is running.
#pragma once

#include <string_view>

namespace sluice::app {

extern const std::string_view kVersion;   // "0.1.0"
extern const std::string_view kRevision;  // of the sources, when the build directory was made

}  // namespace sluice::app
