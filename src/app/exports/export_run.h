// One run of `sluice export`: from where the destination stands to the end of the ledger.
//
// Order is what makes it safe to be killed anywhere: a batch is noted in the ledger, then written,
// then noted as done. What was noted and not done is written again under the same name, and writing
// twice is the same as once. What retention removed before it was exported is counted in the same
// step that says how far the destination has come, so that no kill hides it.
#pragma once

#include <cstdint>
#include <functional>

#include "app/exports/destination.h"
#include "store/sqlite.h"

namespace sluice::app {

struct ExportPlan {
  telemetry::FeedWindow window;
  int64_t batch = 1000;  // rows
};

struct ExportSummary {
  int64_t rows = 0;
  int64_t missed = 0;       // changes whose rows retention removed before
  int64_t missed_ever = 0;  // in all runs
};

// How far it is, from 0 to 1.
using ShowExport = std::function<void(double)>;

// What was written before an error stays written, and `summary` counts it.
Result<void> run_export(store::Database& ledger, Destination& destination, const ExportPlan& plan,
                        const ShowExport& show, ExportSummary& summary);

}  // namespace sluice::app
