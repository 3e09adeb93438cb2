// The rows of the ledger in the order in which they were stored or repriced, for programs
// elsewhere; and how far each of them has come.
//
// A row's key says when its request began, and requests end in another order: who remembers the
// last key would miss the slow ones. The ledger keeps that order in its table `changed`, from the
// first export on (store/schema.cc): who has everything up to a seq never has to look back.
//
// Retention removes rows whether they were exported or not (telemetry/ledger_keeper.h). A change
// whose row is gone before it was read is counted as missed, once for each destination.
//
// Beside a running gateway, or without one. On one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"
#include "telemetry/exchange_row.h"

namespace sluice::telemetry {

// By the time a request began: from `since` on, before `until`. Micro-seconds since 1970 UTC.
struct FeedWindow {
  std::optional<int64_t> since;
  std::optional<int64_t> until;
  bool whole() const { return !since && !until; }
};

struct FeedBatch {
  // By seq, each row once. Empty: `end` is the end of the feed.
  std::vector<ExchangeRow> rows;
  int64_t end = 0;     // everything up to here has been read
  int64_t missed = 0;  // changes on the way there whose rows were removed before
};

class ChangeFeed {
 public:
  // The database outlives it.
  static Result<ChangeFeed> open(const store::Database& database, FeedWindow window);

  // The next rows behind `after`, at most so many changes; with `end`, all up to there.
  Result<FeedBatch> read(int64_t after, int64_t most, std::optional<int64_t> end = std::nullopt);
  // The seq of the last change.
  Result<int64_t> newest() const;

 private:
  Result<int64_t> gap_behind(int64_t after) const;
  size_t add(std::vector<ExchangeRow>& rows, std::unordered_map<int64_t, size_t>& places);
  ChangeFeed(const store::Database& database, store::Statement select, NameReader names,
             FeedWindow window);

  const store::Database* database_;
  store::Statement select_;
  NameReader names_;
  FeedWindow window_;
  int64_t first_key_;
  int64_t end_key_;
};

// How many changes of rows that are there stand behind `after`. Changes nothing.
Result<int64_t> changes_waiting(const store::Database& database, int64_t after, FeedWindow window);

// A batch that was begun, and perhaps sent.
struct PendingBatch {
  int64_t end = 0;
  std::string request_id;  // a UUID
};

// How far one destination has come: its row of the table `export`.
class ExportCursor {
 public:
  // Makes the row when there is none: with the first of all, every row of the ledger becomes part
  // of the feed. Requires: the ledger is open for writing; it outlives the cursor.
  static Result<ExportCursor> open(store::Database& database, std::string destination);
  // `done` of a destination; nothing: it is not known.
  static Result<std::optional<int64_t>> peek(const store::Database& database,
                                             const std::string& destination);

  const std::string& id() const { return id_; }
  int64_t done() const { return done_; }
  const std::optional<PendingBatch>& pending() const { return pending_; }
  // Of all runs.
  int64_t missed() const { return missed_; }

  // A batch of that end is about to be sent.
  Result<PendingBatch> begin(int64_t end);
  // The destination has everything up to `end`, but for so many changes.
  Result<void> finish(int64_t end, int64_t missed);

 private:
  ExportCursor(store::Database& database, std::string destination)
      : database_(&database), destination_(std::move(destination)) {}
  Result<bool> read();
  Result<void> make();

  store::Database* database_;
  std::string destination_;
  std::string id_;
  int64_t done_ = 0;
  int64_t missed_ = 0;
  std::optional<PendingBatch> pending_;
};

// A random UUID, of the database's own generator.
Result<std::string> new_uuid(const store::Database& database);

}  // namespace sluice::telemetry
