#include "store/sqlite.h"

#include <utility>

namespace sluice::store {
namespace {

// `path` names the file in the message; the text is for an operator.
Error error_of(sqlite3* handle, std::string_view path) {
  const int code = sqlite3_extended_errcode(handle);
  std::string message = "database " + std::string(path) + ": ";
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Error(Outcome::Overloaded, message + "the disk is full");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Outcome::Overloaded, message + "locked by another process");
    case SQLITE_NOTADB:
      return Error(Outcome::Bug, message + "this file is not a database");
    case SQLITE_CORRUPT:
      return Error(Outcome::Bug, message + "damaged (" + sqlite3_errmsg(handle) +
                                     "); restore it, or move it away to start a new one");
    default:
      break;
  }
  return Error(Outcome::Bug, message + sqlite3_errmsg(handle));
}

Error error_of(sqlite3* handle) {
  const char* path = sqlite3_db_filename(handle, "main");
  return error_of(handle, path == nullptr ? "" : path);
}

}  // namespace

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(handle_.get()));
}

Result<void> Statement::run() {
  int code = sqlite3_step(handle_.get());
  while (code == SQLITE_ROW) code = sqlite3_step(handle_.get());
  if (code != SQLITE_DONE) {
    Error error = error_of(sqlite3_db_handle(handle_.get()));
    reset();
    return error;
  }
  reset();
  return {};
}

std::optional<int64_t> Statement::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(size));
}

Result<Database> Database::open(const std::string& path, OpenOptions options) {
  // SQLite counts its memory under a lock, some twenty times a row; nobody reads the count. Takes
  // effect before the first database alone, and changes nothing but speed where it comes too late.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const int flags = options.mode == OpenMode::ReadOnly ? SQLITE_OPEN_READONLY
                                                       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) {
    return Error(Outcome::Bug, "database " + path + ": cannot be opened");
  }
  if (auto configured = database.configure(options); !configured)
    return std::move(configured).error();
  return database;
}

Result<void> Database::configure(OpenOptions options) {
  sqlite3_extended_result_codes(handle_.get(), 1);
  sqlite3_busy_timeout(handle_.get(), options.busy_millis);
  // Reads the header, and thereby notices a file that is none of ours.
  if (auto seen = integer("PRAGMA schema_version"); !seen) return std::move(seen).error();
  if (auto set = exec("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF"); !set) return set;
  if (options.mode == OpenMode::ReadOnly) return {};
  // WAL: readers never block the writer. NORMAL: synced at checkpoints; what was committed survives
  // any death of the process, and a power cut may cost the last commits, never consistency.
  // Checkpoints are made by hand, where their errors are seen. Pages of a new file are 8 KiB: rows
  // are long, and each page costs a write and a checksum of its own.
  // Pages that get free can be given back piece by piece.
  if (auto set = exec("PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL;"
                      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                      "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4096");
      !set) {
    return set;
  }
  if (options.outlives_power_cuts) {
    if (auto set = exec("PRAGMA synchronous=FULL"); !set) return set;
  }
  sqlite3_wal_hook(
      handle_.get(),
      [](void* state, sqlite3*, const char*, int pages) {
        static_cast<State*>(state)->wal_pages = pages;
        return SQLITE_OK;
      },
      state_.get());
  return {};
}

Error Database::failure() const {
  const int code = sqlite3_extended_errcode(handle_.get());
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) state_->disk_failed = true;
  return error_of(handle_.get(), path_);
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failure();
  return Statement(statement);
}

Result<void> Database::exec(const char* sql) const {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure();
  }
  return {};
}

Result<int64_t> Database::integer(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return *row ? statement->integer(0) : 0;
}

Result<void> Database::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(handle_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  // Busy only means that a reader holds a part back; the next checkpoint gets it.
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) return failure();
  state_->wal_pages = 0;
  return {};
}

Result<Snapshot> Snapshot::take(const Database& database) {
  if (auto begun = database.exec("BEGIN"); !begun) return std::move(begun).error();
  return Snapshot(database);
}

Snapshot::~Snapshot() {
  if (database_ != nullptr) (void)database_->exec("ROLLBACK");
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.exec("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // An error may have rolled back already; then there is nothing left to do and this says so.
  if (database_ != nullptr) (void)database_->exec("ROLLBACK");
}

Result<void> Transaction::commit() {
  if (auto committed = database_->exec("COMMIT"); !committed) return committed;
  database_ = nullptr;
  return {};
}

}  // namespace sluice::store
