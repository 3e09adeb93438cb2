// The one place where an exchange is priced, counted, logged and stored: from one record, so that
// ledger, metrics and log cannot disagree.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/line_sink.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "store/journal.h"
#include "telemetry/meters.h"
#include "telemetry/price.h"
#include "telemetry/record.h"

namespace sluice::telemetry {

// What a ledger works with; all of it outlives the ledger, whose end stops the journal. `access`
// may be null: no access log.
struct LedgerParts {
  Registry& registry;
  store::Journal& journal;
  LineSink* access = nullptr;
  Logger& log;
  const Clock& clock;
};

class Ledger {
 public:
  // `base`: what counters start from; see read_usage_base().
  Ledger(LedgerParts parts, std::shared_ptr<const PriceTable> prices,
         std::span<const UsageBase> base);
  // Rows in the journal point at meters and prices: it stores them now. The registry must not be
  // scraped any more.
  ~Ledger();

  // The cells of a target; made at the first call, kept for the life of the process. For building a
  // configuration, not for the hot path. `vendor`: see PriceTable::find.
  const TargetMeters& target(std::string_view provider, std::string_view model,
                             std::string_view alias, std::string_view vendor = {});
  // From now on. Earlier tables are kept while rows on their way may point at them. Requires: since
  // the last call every lane has finished what it was at.
  void use_prices(std::shared_ptr<const PriceTable> prices);

  // For a call that is still to be made; null: nobody knows. Kept for the life of the ledger.
  const Price* price_of(const TargetMeters& meters, std::string_view provider,
                        std::string_view model) const;
  Terms terms_of(const TargetMeters& meters) const;
  // What this record costs by the present prices: what finish() will write.
  Charge charge_of(const Record& record) const;
  // What a failed attempt of the record's present target, which used so much, is paid for.
  Spent spent_by(const Record& record, const chat::Usage& usage, chat::UsageSource source) const;
  // What happened to a key of a provider: for the person who has to mend it.
  void note_key(std::string_view provider, std::string_view key, std::string_view what) const;
  // The end of an exchange: what it cost. Requires: called on the lane's own thread; once per key.
  Charge finish(unsigned lane, const Record& record);
  // A limit refused a request, or in shadow would have. Any thread.
  void count_refusal(std::string_view level, std::string_view limit, bool shadow);
  // A budget has passed a mark of its period for the first time.
  void note_budget(std::string_view budget, int32_t permille, std::string_view spent,
                   std::string_view limit) const;

 private:
  struct Priced {
    const Price* price;
    Charge charge;
  };
  Priced price(const Record& record) const;
  PriceTable::Found find_price(const Record& record) const;
  PriceTable::Found price_by_record(const Record& record) const;
  bool first_of_model(const Record& record, std::atomic<uint64_t>& last,
                      std::set<std::string>& names) const;
  void log_unpriced(const Record& record, const TargetMeters& meters) const;
  void log_drift(const Record& record, const TargetMeters& meters, const Charge& charge) const;
  void log_refused_keys(const Record& record) const;
  void store(unsigned lane, const Record& record, const TargetMeters& meters, const Priced& priced);
  void watch_parts();
  void set_price(const TargetMeters& meters, const PriceTable& table) const;
  const TargetMeters& meters_of(const Record& record) const {
    return record.meters != nullptr ? *record.meters : meters_.other();
  }

  LedgerParts parts_;
  Meters meters_;
  Counter dropped_cost_;
  mutable std::mutex mutex_;  // of the three behind it
  struct Table {
    std::shared_ptr<const PriceTable> prices;
    Nanos replaced = 0;  // when; 0: in use
  };
  std::vector<Table> tables_;                     // the last is in use
  mutable std::set<std::string> unpriced_names_;  // that were logged
  mutable std::set<std::string> drift_names_;     // likewise
  std::atomic<const PriceTable*> table_;
  std::atomic<int64_t> catalog_made_;  // since 1970 UTC, in micro-seconds
};

// The sums of everything in the ledger, in no time: they are kept beside the rows.
Result<std::vector<UsageBase>> read_usage_base(const store::Database& database);
// The highest key in the ledger; 0 if it is empty. New keys must be above it (base/id.h).
Result<uint64_t> read_last_key(const store::Database& database);

}  // namespace sluice::telemetry
