// `sluice reconcile FILE`: holds the ledger against what the provider exports of its own books, per
// model and day (UTC, which is the day of the providers' exports too).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"
#include "telemetry/usage_export.h"

namespace sluice::telemetry {

struct ReconcileQuery {
  std::string provider;  // as the configuration calls it
  // Days since 1970 UTC; nothing: those of the export. The last one is left out.
  std::optional<int64_t> from_day;
  std::optional<int64_t> to_day;
  // Millionths: a figure may differ by so much of the larger of the two.
  int64_t tolerance_ppm = 0;
};

struct Difference {
  DayModel of;
  Figure figure = Figure::Requests;
  int64_t ledger = 0;
  int64_t provider = 0;
};

struct ReconcileReport {
  std::vector<Difference> beyond;  // the tolerance; by day, then model
  Figures ledger{};                // of all days
  Figures provider{};
  int64_t compared = 0;   // days times models
  int64_t estimated = 0;  // requests in the ledger whose tokens are an estimate
  int64_t unpriced = 0;   // requests in the ledger whose cost nobody knows
};

// Of the figures that the export states. `progress` from 0 to 1.
Result<ReconcileReport> reconcile(const store::Database& database, const ExportSums& exported,
                                  const ReconcileQuery& query,
                                  const std::function<void(double)>& progress);

}  // namespace sluice::telemetry
