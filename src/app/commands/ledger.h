// `sluice usage` and `sluice ledger verify`: what the ledger holds, read beside a running gateway.
// `sluice ledger upgrade`: brings one of an earlier version up to date, without a gateway.
#pragma once

#include <optional>
#include <string>

#include "app/commands/check.h"
#include "base/time.h"

namespace sluice::app {

enum class TableFormat : uint8_t { Text, Json, Csv };

struct UsageArguments {
  std::string ledger;  // path of the file
  std::string by = "model";
  // "7d", "24h", "30m" before now, or a day: "2026-11-01" (UTC). Empty: no bound.
  std::string since;
  std::string until;
  TableFormat format = TableFormat::Text;
};

CommandResult usage(const UsageArguments& arguments, const Clock& clock);
CommandResult verify_ledger(const std::string& path, TableFormat format);
// Draws a progress bar on stderr if that is a terminal.
CommandResult upgrade_ledger(const std::string& path, TableFormat format);

}  // namespace sluice::app
