// `sluice reprice`: computes again what rows of the ledger cost, by the prices of today. An
// explicit act on a period (acceptance PRICE-5): by itself no row ever changes its price.
//
// Works in transactions of a thousand rows, beside a running gateway or without one; rows, the kept
// sums (usage_total, usage_sum, user_sum) and the record of the run (repriced) change together.
// What budgets were charged (spend) stays.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"
#include "telemetry/price.h"

namespace sluice::telemetry {

struct RepriceQuery {
  int64_t from_micros = 0;  // since 1970 UTC
  int64_t to_micros = 0;    // the moment itself is left out
  std::string provider;     // empty: any
  std::string model;        // likewise
  // Also rows that carry the provider's own figure: the table's takes its place.
  bool provider_costs = false;
  bool dry_run = false;
};

// Who repriced, for the record of the run.
struct RepriceActor {
  std::string name;
  int64_t at_micros = 0;
};

struct RepriceLine {
  std::string provider;
  std::string model;
  int64_t rows = 0;     // with known tokens, in the period
  int64_t changed = 0;  // cost, credits or version of the price
  // Left as they are: by the provider's figure, or with a model that the table does not have.
  int64_t kept = 0;
  int64_t unpriced_before = 0;
  int64_t unpriced_after = 0;
  NanoDollars cost_before = 0;  // of all rows of the line
  NanoDollars cost_after = 0;
};

struct RepriceReport {
  std::vector<RepriceLine> lines;  // by the size of the difference, falling
  RepriceLine total;
};

// How far it is: from 0 to 1.
using Progress = std::function<void(double)>;

// What was committed before an error stays, and the record of the run says so.
Result<RepriceReport> reprice(store::Database& database, const PriceTable& prices,
                              const RepriceQuery& query, const RepriceActor& actor,
                              const Progress& progress);

}  // namespace sluice::telemetry
