// `sluice import portkey FILE` and `sluice import litellm FILE`: another gateway's configuration as
// one of Sluice, and an account of what became of each of its settings. Pure: the caller reads and
// writes the files. No secret of the source is ever repeated; keys become variables to set.
#pragma once

#include <cstdint>
#include <string>

#include "app/commands/check.h"

namespace sluice::app {

enum class ImportFrom : uint8_t { Portkey, LiteLlm };
enum class ReportFormat : uint8_t { Text, Json };

// `out` is the configuration, which `sluice check` accepts once its variables are set; `err` the
// report. Exit codes: 0 all was carried over, 1 something differs or has no counterpart, 2 nothing
// could be made of the file; then `out` is empty.
CommandResult import_configuration(ImportFrom from, const std::string& file_name,
                                   const std::string& text, ReportFormat format);

}  // namespace sluice::app
