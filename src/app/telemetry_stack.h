// Log, metrics, prices and ledger of the process, opened in the order they depend on each other and
// closed the other way round: the rows that are queued are stored before the database closes.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "app/settings.h"
#include "base/line_sink.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "store/file_lock.h"
#include "store/journal.h"
#include "telemetry/body_store.h"
#include "telemetry/caller_sink.h"
#include "telemetry/ledger.h"
#include "telemetry/ledger_keeper.h"
#include "telemetry/ledger_sink.h"
#include "telemetry/price.h"

namespace sluice::app {

// The built-in catalog, then the operator's file, then the operator's single prices.
Result<std::shared_ptr<const telemetry::PriceTable>> load_prices(const Settings& settings);

class TelemetryStack {
 public:
  // `lanes`: one per loop that serves.
  static Result<std::unique_ptr<TelemetryStack>> open(const Settings& settings, const Clock& clock,
                                                      unsigned lanes);

  Logger& log() { return *log_; }
  Registry& registry() { return registry_; }
  telemetry::Ledger& ledger() { return *ledger_; }
  telemetry::BodyStore& bodies() { return *bodies_; }
  // Those the configuration gave at the start.
  const std::shared_ptr<const telemetry::PriceTable>& prices() const { return prices_; }
  // The highest key in the ledger: new ones are above it.
  uint64_t last_key() const { return last_key_; }
  // What every subject has spent, as of the start.
  std::vector<telemetry::SpendSums> take_spent() { return std::move(spent_); }
  bool ledger_healthy() const { return journal_->healthy(); }

  void note_reload(bool ok, uint64_t revision);

 private:
  TelemetryStack(const Settings& settings, const Clock& clock, unsigned lanes);
  Result<void> open_access_log(const LogSink& sink);
  Result<void> open_ledger(const Settings& settings);
  Result<void> open_bodies(const Settings& settings);
  Result<void> read_ledger(const store::Database& database);
  void watch_keeper();

  const Clock& clock_;
  const unsigned lanes_;
  std::unique_ptr<LineSink> sink_;
  std::unique_ptr<Logger> log_;
  std::unique_ptr<LineSink> access_file_;  // null: to stdout with the log, or nowhere
  LineSink* access_ = nullptr;
  std::atomic<int64_t> revision_{1};
  std::atomic<int64_t> reload_ok_{1};
  Registry registry_;
  store::FileLock ledger_lock_;
  store::FileLock bodies_lock_;
  telemetry::LedgerSink ledger_sink_;
  std::unique_ptr<telemetry::LedgerKeeper> keeper_;
  std::unique_ptr<store::Journal> journal_;
  std::shared_ptr<const telemetry::PriceTable> prices_;
  std::unique_ptr<telemetry::Ledger> ledger_;
  std::unique_ptr<telemetry::BodyStore> bodies_;
  std::vector<telemetry::UsageBase> base_;
  uint64_t last_key_ = 0;
  std::vector<telemetry::SpendSums> spent_;
};

}  // namespace sluice::app
