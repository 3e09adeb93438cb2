// SQLite as values: a connection, a statement, a transaction; errors as Results.
//
// A Database and everything made from it belong to one thread at a time. Values are always bound,
// never pasted into SQL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sluice::store {

enum class OpenMode : uint8_t { Create, ReadOnly };

struct OpenOptions {
  OpenMode mode = OpenMode::Create;
  int busy_millis = 1000;  // how long one call waits for another process's lock
  // Each commit is on the disk before it returns: a power cut takes nothing back.
  bool outlives_power_cuts = false;
};

class Statement {
 public:
  // Text is borrowed until the next reset(). Parameters count from 1.
  void bind(int index, int64_t value) { sqlite3_bind_int64(handle_.get(), index, value); }
  void bind(int index, std::string_view text) {
    sqlite3_bind_text(handle_.get(), index, text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
  }
  void bind_blob(int index, std::string_view bytes) {
    sqlite3_bind_blob(handle_.get(), index, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_STATIC);
  }
  void bind_null(int index) { sqlite3_bind_null(handle_.get(), index); }

  // True: a row stands ready. False: done.
  Result<bool> step();
  // Runs to its end and makes ready for the next run.
  Result<void> run();
  void reset() { sqlite3_reset(handle_.get()); }

  // Columns count from 0. Requires: step() was true.
  int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  std::optional<int64_t> maybe_integer(int column) const;
  bool is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  bool is_integer(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_INTEGER;
  }
  // Valid until the next step() or reset().
  std::string_view text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  // Requires nothing of the file: one that is no database, or whose first pages are damaged, is
  // refused with a message that says what to do.
  static Result<Database> open(const std::string& path, OpenOptions options = {});

  Result<Statement> prepare(std::string_view sql) const;
  // One or more statements without results.
  Result<void> exec(const char* sql) const;
  // The first column of the first row.
  Result<int64_t> integer(std::string_view sql) const;

  int64_t total_changes() const { return sqlite3_total_changes64(handle_.get()); }
  // Pages in the write-ahead log after the last commit of this connection.
  int wal_pages() const { return state_->wal_pages; }
  // The disk failed to keep what it was given: nothing written here can be trusted any more, and
  // trying again would only hide it.
  bool disk_failed() const { return state_->disk_failed; }
  // Moves what it can from the write-ahead log to the database file without waiting for readers.
  Result<void> checkpoint();
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Result<void> configure(OpenOptions options);
  Error failure() const;

  struct State {
    int wal_pages = 0;
    bool disk_failed = false;
  };
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
  std::unique_ptr<State> state_ = std::make_unique<State>();  // at a fixed address for the hook
};

// What is read while it lives is of one moment, whoever writes beside.
class Snapshot {
 public:
  static Result<Snapshot> take(const Database& database);
  Snapshot(Snapshot&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Snapshot& operator=(Snapshot&&) = delete;
  ~Snapshot();

 private:
  explicit Snapshot(const Database& database) : database_(&database) {}
  const Database* database_;
};

// Rolls back unless committed.
class Transaction {
 public:
  // Takes the write lock at once, so that nothing inside can fail for want of it.
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace sluice::store
