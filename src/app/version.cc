#include "app/version.h"

namespace sluice::app {

// Given by cmake/Version.cmake to this file alone, so that a new commit rebuilds only it.
const std::string_view kVersion = SLUICE_VERSION;
const std::string_view kRevision = SLUICE_REVISION;

}  // namespace sluice::app
