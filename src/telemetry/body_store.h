// Prompts and answers of the keys that keep them, in a file of their own: nothing that happens to
// it costs a row of the ledger or holds up a request. A journal of its own stores them a moment
// after their exchange has ended; where memory for them is used up they are dropped, counted, and
// a row says so.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "store/journal.h"
#include "telemetry/body_row.h"
#include "telemetry/body_table.h"

namespace sluice::telemetry {

struct BodyStoreOptions {
  std::string path;
  size_t limit = 0;  // bytes of one body; the rest is cut off
  // For what waits for the disk, of which bodies take half at most; as much again for the bodies
  // of requests in hand.
  size_t queue_limit = 0;
  int flush_window_millis = 100;
  BodyKeeping keeping;
};

// What it works with; all of it outlives the store. The registry must not be scraped after it.
struct BodyStoreParts {
  const Clock& clock;
  Logger& log;
  Registry& registry;
};

class BodyStore {
 public:
  // Opens the file and starts the journal's thread.
  static Result<std::unique_ptr<BodyStore>> open(const BodyStoreOptions& options,
                                                 const BodyStoreParts& parts);
  // For tests, on a database that is open: stores when told to.
  BodyStore(store::Database database, const BodyStoreOptions& options, const BodyStoreParts& parts);

  size_t limit() const { return options_.limit; }
  const std::string& path() const { return options_.path; }

  // Memory for bodies of a request in hand. False: none is left. Any thread, as all that follow.
  bool hold(size_t bytes);
  void let_go(size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }

  // The end of an exchange: once per record.
  void keep(const Record& record, const KeptBodies& kept);

  // What was kept so far is in the file when this returns.
  Result<void> flush() { return journal_.flush(); }
  Result<void> drain() { return journal_.drain(); }
  bool healthy() const { return journal_.healthy(); }

 private:
  bool append(const Record& record, const KeptBodies& kept, BodyForm form);
  void watch(Registry& registry);
  void warn();

  const BodyStoreOptions options_;
  const Clock& clock_;
  Logger& log_;
  BodyTable table_;
  store::Journal journal_;
  std::atomic<size_t> held_ = 0;
  std::atomic<int64_t> kept_ = 0;
  std::atomic<int64_t> dropped_ = 0;
  std::atomic<Nanos> warn_at_ = 0;
};

}  // namespace sluice::telemetry
