// Looks after the ledger's file between two flushes of its journal: sums the rows of an earlier
// version, removes what is older than it shall be kept, gives free pages back. Short pieces, each
// in a transaction of its own; what was begun goes on after a restart.
//
// Removed are rows of days of UTC, whole days at a time: exchange, attribution, what exports are
// told of them (changed), the sums of reports, and the quarters of spend that no running budget
// needs. Sums since the beginning stay: those of counters (usage_total) and of budgets without a
// period (spend, quarter -1). No export is waited for: it says what it has missed.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"
#include "store/journal.h"

namespace sluice::telemetry {

struct KeeperOptions {
  int64_t retention_days = 0;  // 0: for ever
  // Spend is kept at least so long, whatever the retention: longer than the longest period of a
  // budget that begins anew.
  int64_t least_spend_days = 33;
  int64_t rows_per_piece = 1000;
};

// Tables that grow with traffic and are removed from. Others grow with the configuration, or with
// what an operator does.
inline constexpr std::string_view kRemovedFrom[] = {"exchange", "attribution", "usage_sum",
                                                    "user_sum", "spend",       "changed"};

class LedgerKeeper final : public store::JournalChore {
 public:
  // Borrows clock and log.
  LedgerKeeper(const Clock& clock, Logger& log, KeeperOptions options)
      : clock_(clock), log_(log), options_(options) {}

  Result<bool> step(store::Database& database) override;

  // Since the start of the process; any thread. `table`: of kRemovedFrom.
  int64_t removed_lines(size_t table) const { return removed_[table].load(); }
  int64_t freed_bytes() const { return freed_.load(); }

 private:
  enum class Job : uint8_t { Sum, Rows, Changes, UsageSums, UserSums, Spend, Pages, Done };

  Result<bool> sum_older(store::Database& database);
  Result<void> begin_day(store::Database& database, int64_t day);
  Result<bool> remove(store::Database& database);
  Result<bool> remove_rows(store::Database& database);
  Result<bool> remove_changes(store::Database& database);
  Result<bool> remove_sums(store::Database& database, size_t table);
  Result<bool> remove_spend(store::Database& database);
  Result<bool> remove_spend_of(store::Database& database, std::string_view subject);
  Result<bool> give_back_pages(store::Database& database);
  int64_t first_kept_day() const;
  void count(size_t table, int64_t lines) { removed_[table].fetch_add(lines); }

  const Clock& clock_;
  Logger& log_;
  const KeeperOptions options_;
  Job job_ = Job::Sum;
  int64_t day_ = 0;      // the first day that is kept; earlier ones are removed
  std::string subject_;  // of spend, the last one looked at
  std::atomic<int64_t> removed_[std::size(kRemovedFrom)] = {};
  std::atomic<int64_t> freed_ = 0;
};

}  // namespace sluice::telemetry
