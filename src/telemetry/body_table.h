// The table `bodies` (store/bodies_schema.cc): writing and cleaning up on the journal's thread,
// reading and forgetting on whichever thread has a connection of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "store/journal.h"
#include "telemetry/body_row.h"

namespace sluice::telemetry {

struct BodyKeeping {
  int64_t retention_days = 0;  // 0: for ever
  uint64_t max_size = 0;       // of the file; the oldest go first. 0: no limit
};

// A connection whose freed pages are overwritten with zeros, to a file that only its owner may
// read. Brings the file up to date.
Result<store::Database> open_bodies(const std::string& path);

// Empties the write-ahead log, in which what was removed still stands.
Result<void> wipe_log(const store::Database& database);

class BodyTable final : public store::JournalSink, public store::JournalChore {
 public:
  // Borrows the clock.
  BodyTable(const Clock& clock, BodyKeeping keeping) : clock_(clock), keeping_(keeping) {}

  Result<void> write(store::Database& database, std::span<const std::string_view> rows) override;
  void committed() override {}
  void rolled_back() override {}
  // Removes what is too old, then what is too much, then gives free pages back.
  Result<bool> step(store::Database& database) override;

  // By step(), since the start of the process; any thread.
  int64_t removed_rows() const { return removed_.load(); }

 private:
  Result<bool> remove_before(store::Database& database, uint64_t key);

  const Clock& clock_;
  const BodyKeeping keeping_;
  std::optional<store::Statement> insert_;
  Nanos look_at_ = 0;
  bool leaves_traces_ = false;  // what was removed may still stand in the write-ahead log
  std::atomic<int64_t> removed_ = 0;
};

// What is stored of one exchange.
struct StoredBodies {
  std::string owner;  // name of the key
  std::string user;
  std::string endpoint;
  int64_t status = 0;
  bool stream = false;
  KeptBodies kept;
};
Result<std::optional<StoredBodies>> find_bodies(const store::Database& database,
                                                const RequestIdParts& id);

// Whose bodies.
enum class BodiesOf : uint8_t { Owner, User };
// Removes one piece of what is stored of them; how many rows. 0: there are none.
Result<int64_t> forget_bodies(store::Database& database, BodiesOf whose, std::string_view name);

// Of a row of the ledger, why it may have no bodies.
struct RowOrigin {
  std::string key;  // name; empty: none was asked for
  int64_t started_micros = 0;
};
Result<std::optional<RowOrigin>> find_origin(const store::Database& ledger,
                                             const RequestIdParts& id);

}  // namespace sluice::telemetry
