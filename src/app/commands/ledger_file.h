// What the commands that work on a ledger share: moments, tables, opening the file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/commands/check.h"
#include "base/result.h"
#include "store/sqlite.h"

namespace sluice::app {

// Micro-seconds since 1970 of "7d" before now or of "2026-11-01".
std::optional<int64_t> parse_moment(const std::string& text, int64_t now_micros);

// Nano-units as a decimal, exactly, as the ledger has it.
std::string decimal(int64_t nano);

// The first row is the header; the first `left` columns stand to the left, the others, figures, to
// the right.
std::string aligned(const std::vector<std::vector<std::string>>& rows, size_t left);

// With a reason a person understands where SQLite has none.
Result<store::Database> open_ledger_file(const std::string& path, store::OpenMode mode);

// The same, of a file whose tables are those this version knows.
Result<store::Database> open_current_ledger(const std::string& path, store::OpenMode mode);

CommandResult command_failed(int code, std::string message);

}  // namespace sluice::app
