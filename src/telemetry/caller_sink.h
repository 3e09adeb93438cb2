// The part of a ledger row that says who is charged and what for: tables `caller`, `attribution`
// and `spend` (store/schema.cc). Used by LedgerSink, in its transaction, on the journal's thread.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/sqlite.h"
#include "telemetry/row.h"

namespace sluice::telemetry {

// Quarters of an hour since 1970 UTC; of all time: the sum of all.
inline constexpr int64_t kSpendQuarterMicros = 900'000'000;
inline constexpr int64_t kAllTimeQuarter = -1;
// Of the quarters that retention removed.
inline constexpr int64_t kRemovedQuarter = -2;

class CallerSink {
 public:
  Result<void> prepare(store::Database& database);
  // Of the row's caller; nothing: it has none.
  Result<std::optional<int64_t>> id_of(const RowView& row);
  // Of a row that was not there before, after its id_of().
  Result<void> add(const RowView& row);
  Result<void> write_sums();
  void committed() { forget_sums(); }
  void rolled_back();

 private:
  struct Sum {
    int64_t charged = 0;
    int64_t requests = 0;
    int64_t unpriced = 0;
    int64_t input = 0;
    int64_t output = 0;
    Sum& operator+=(const Sum& other);
  };

  // What the last row was added to, by key, team and organisation: usually the next one's too.
  struct Owners {
    int64_t caller = 0;
    int64_t quarter = 0;
    std::array<Sum*, 3> sums{};
  };

  Result<void> write_attribution(const RowView& row);
  Result<void> write_sum(const std::string& subject, int64_t quarter, const Sum& sum);
  Sum& sum_of(std::string subject, int64_t quarter) { return sums_[{std::move(subject), quarter}]; }
  const Owners& owners_of(const RowView& row, int64_t quarter);
  void forget_sums();

  std::optional<store::Statement> find_caller_;
  std::optional<store::Statement> insert_caller_;
  std::optional<store::Statement> insert_attribution_;
  std::optional<store::Statement> add_spend_;
  std::unordered_map<std::string, int64_t> ids_;  // by all four names
  std::string last_;                              // usually the next row's caller too
  int64_t last_id_ = 0;
  std::string names_;
  // Of this transaction.
  std::map<std::pair<std::string, int64_t>, Sum> sums_;
  Owners owners_;
};

// One subject's sums, rising by quarter; the sum of all time stands apart.
struct SpendSums {
  std::string subject;
  std::vector<std::pair<int64_t, NanoDollars>> quarters;
  NanoDollars total = 0;
};
// Of every subject; quarters older than `first_quarter` only count in the total.
Result<std::vector<SpendSums>> read_spend(const store::Database& database, int64_t first_quarter);

}  // namespace sluice::telemetry
