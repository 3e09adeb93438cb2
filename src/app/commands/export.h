// `sluice export ndjson|postgres|snowflake`: copies the ledger's rows to where a company keeps its
// analytics, beside a running gateway.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/commands/check.h"
#include "app/exports/destination.h"
#include "app/exports/export_run.h"
#include "base/time.h"

namespace sluice::app {

enum class ExportTo : uint8_t { Ndjson, Postgres, Snowflake };

struct ExportArguments {
  ExportTo to = ExportTo::Ndjson;
  std::string folder;  // of NDJSON; empty: as configured
  std::string ledger;  // path of the file; empty: as configured
  // "7d", "24h", "30m" before now, or a day: "2026-11-01" (UTC). Empty: no bound.
  std::string since;
  std::string until;
  bool dry_run = false;
  bool follow = false;  // one look of many
  bool ddl = false;     // print it and end
  bool json = false;
};

// Exit codes: 0 all was copied, 1 not all of it (it stopped before, or retention was faster), 2
// wrong usage or configuration.
CommandResult export_ledger(const ExportArguments& arguments, const Settings& settings,
                            const Clock& clock, const ShowExport& show);

}  // namespace sluice::app
