// What `sluice ledger verify` finds. Reads everything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"

namespace sluice::telemetry {

struct VerifyReport {
  int64_t rows = 0;
  std::vector<std::string> problems;  // empty: the ledger is sound
};
// Structure of the file, rules between columns, and that everything that is kept as a sum is the
// sum of the rows: the totals of counters, the sums of reports, the spend of budgets. All of one
// moment; a gateway may be writing beside.
Result<VerifyReport> verify_ledger(const store::Database& database);

}  // namespace sluice::telemetry
