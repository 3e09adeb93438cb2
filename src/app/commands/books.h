// `sluice reprice` and `sluice reconcile`: what an accountant does with the ledger, beside a
// running gateway or without one.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "app/commands/check.h"
#include "base/time.h"
#include "telemetry/price.h"

namespace sluice::app {

// How far the work is, from 0 to 1.
using ShowProgress = std::function<void(double)>;

struct RepriceArguments {
  std::string ledger;
  std::string control;  // the gateway's control.db, for the audit chain
  std::string from;     // a day, "2026-11-01" (UTC), or "7d", "24h" before now
  std::string to;       // likewise; empty: now
  std::string provider;
  std::string model;
  bool provider_costs = false;
  bool dry_run = false;
  bool json = false;
};

// Exit codes: 0 done, 1 failed, 2 wrong arguments. `actor`: who is at the keyboard. A row of the
// audit chain comes before the first change: what cannot be written down is not done.
CommandResult reprice_ledger(const RepriceArguments& arguments, const telemetry::PriceTable& prices,
                             const std::string& actor, const Clock& clock,
                             const ShowProgress& progress);

struct ReconcileArguments {
  std::string ledger;
  std::string file;
  std::string format = "auto";
  std::string provider;  // as the configuration calls it; empty: as the format
  std::string from;
  std::string to;
  std::string tolerance = "0%";
  bool json = false;
};

// Exit codes: 0 equal within the tolerance, 1 beyond it, 2 something cannot be read.
CommandResult reconcile_export(const ReconcileArguments& arguments, const Clock& clock,
                               const ShowProgress& progress);

}  // namespace sluice::app
