#include "telemetry/body_table.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <unistd.h>
#include <utility>
#include <vector>

#include "store/free_pages.h"
#include "store/schema.h"

namespace sluice::telemetry {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
// How often it is looked whether something is too old or too much.
constexpr Nanos kLook = 10 * kSecond;
// Of one piece, whatever comes first: freed pages are written, so bytes count.
constexpr int64_t kRowsPerPiece = 256;
constexpr int64_t kBytesPerPiece = 4 << 20;

// Reads keys and sizes in order, as many as make a piece. Requires: bound but for ?9.
Result<std::vector<int64_t>> piece_of(store::Statement& keys) {
  std::vector<int64_t> piece;
  int64_t bytes = 0;
  keys.bind(9, kRowsPerPiece);
  while (bytes < kBytesPerPiece) {
    auto row = keys.step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    piece.push_back(keys.integer(0));
    bytes += keys.integer(1);
  }
  keys.reset();
  return piece;
}

Result<int64_t> remove_piece(store::Database& database, store::Statement& keys) {
  auto transaction = store::Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  auto piece = piece_of(keys);
  if (!piece) return std::move(piece).error();
  auto remove = database.prepare("DELETE FROM bodies WHERE key = ?1");
  if (!remove) return std::move(remove).error();
  for (const int64_t key : *piece) {
    remove->bind(1, key);
    if (auto done = remove->run(); !done) return std::move(done).error();
  }
  if (auto committed = transaction->commit(); !committed) return std::move(committed).error();
  return static_cast<int64_t>(piece->size());
}

KeptBody body_in(const store::Statement& row, int bytes, int size) {
  return {.bytes = std::string(row.text(bytes)), .size = static_cast<uint64_t>(row.integer(size))};
}

}  // namespace

Result<store::Database> open_bodies(const std::string& path) {
  // SQLite gives the files beside it the rights of this one.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return Error(Outcome::Bug, "cannot make " + path + ": " + std::strerror(errno));
  }
  ::close(file);
  auto database = store::open_store(path, store::bodies_schema(), {.outlives_power_cuts = true});
  if (!database) return database;
  if (auto set = database->exec("PRAGMA secure_delete=ON"); !set) return std::move(set).error();
  return database;
}

// A reader that holds a part back only puts it off.
Result<void> wipe_log(const store::Database& database) {
  return database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<void> BodyTable::write(store::Database& database, std::span<const std::string_view> rows) {
  if (!insert_) {
    auto prepared = database.prepare(
        "INSERT OR REPLACE INTO bodies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    if (!prepared) return std::move(prepared).error();
    insert_ = *std::move(prepared);
  }
  for (const std::string_view bytes : rows) {
    const BodyRow row = read_body_row(bytes);
    insert_->bind(1, static_cast<int64_t>(row.head.key));
    insert_->bind(2, static_cast<int64_t>(row.head.request_tail));
    insert_->bind(3, row.owner);
    insert_->bind(4, row.user);
    insert_->bind(5, row.endpoint);
    insert_->bind(6, int64_t{row.head.status});
    insert_->bind(7, int64_t{row.head.stream});
    insert_->bind(8, int64_t{row.head.dropped});
    insert_->bind(9, static_cast<int64_t>(row.head.request_size));
    insert_->bind(10, static_cast<int64_t>(row.head.answer_size));
    const std::pair<int, std::string_view> bodies[] = {{11, row.request}, {12, row.answer}};
    for (const auto& [column, body] : bodies) {
      if (body.empty()) {
        insert_->bind_null(column);
      } else {
        insert_->bind_blob(column, body);
      }
    }
    if (auto done = insert_->run(); !done) return done;
  }
  return {};
}

Result<bool> BodyTable::step(store::Database& database) {
  const Nanos now = clock_.monotonic();
  if (now < look_at_) return false;
  if (keeping_.retention_days > 0) {
    const int64_t oldest = clock_.wall_micros() - keeping_.retention_days * kMicrosPerDay;
    auto more = remove_before(database, first_key_at(std::max<int64_t>(oldest, 0)));
    if (!more || *more) return more;
  }
  if (keeping_.max_size > 0) {
    auto used = database.integer(
        "SELECT (page_count - freelist_count) * page_size"
        " FROM pragma_page_count, pragma_freelist_count, pragma_page_size");
    if (!used) return std::move(used).error();
    if (static_cast<uint64_t>(*used) > keeping_.max_size) {
      auto more = remove_before(database, std::numeric_limits<int64_t>::max());
      if (!more || *more) return more;
    }
  }
  auto freed = store::give_back_pages(database);
  if (!freed) return std::move(freed).error();
  if (*freed > 0) return true;
  if (std::exchange(leaves_traces_, false)) {
    if (auto wiped = wipe_log(database); !wiped) return std::move(wiped).error();
  }
  look_at_ = now + kLook;
  return false;
}

// One piece of the oldest; true: there may be more.
Result<bool> BodyTable::remove_before(store::Database& database, uint64_t key) {
  auto keys = database.prepare(
      "SELECT key, ifnull(length(request), 0) + ifnull(length(answer), 0) FROM bodies"
      " WHERE key < ?1 ORDER BY key LIMIT ?9");
  if (!keys) return std::move(keys).error();
  keys->bind(1, static_cast<int64_t>(key));
  auto removed = remove_piece(database, *keys);
  if (!removed) return std::move(removed).error();
  removed_.fetch_add(*removed);
  leaves_traces_ |= *removed > 0;
  return *removed > 0;
}

Result<std::optional<StoredBodies>> find_bodies(const store::Database& database,
                                                const RequestIdParts& id) {
  auto row = database.prepare(
      "SELECT owner, user, endpoint, status, stream, dropped, request, request_size, answer,"
      " answer_size FROM bodies WHERE key = ?1 AND request_tail = ?2");
  if (!row) return std::move(row).error();
  row->bind(1, static_cast<int64_t>(id.key));
  row->bind(2, static_cast<int64_t>(id.tail));
  auto found = row->step();
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<StoredBodies>();
  return std::optional(StoredBodies{.owner = std::string(row->text(0)),
                                    .user = std::string(row->text(1)),
                                    .endpoint = std::string(row->text(2)),
                                    .status = row->integer(3),
                                    .stream = row->integer(4) != 0,
                                    .kept = {.request = body_in(*row, 6, 7),
                                             .answer = body_in(*row, 8, 9),
                                             .dropped = row->integer(5) != 0}});
}

Result<int64_t> forget_bodies(store::Database& database, BodiesOf whose, std::string_view name) {
  const std::string sql =
      "SELECT key, ifnull(length(request), 0) + ifnull(length(answer), 0) FROM bodies WHERE " +
      std::string(whose == BodiesOf::Owner ? "owner = ?1" : "user = ?1 AND user <> ''") +
      " LIMIT ?9";
  auto keys = database.prepare(sql);
  if (!keys) return std::move(keys).error();
  keys->bind(1, name);
  return remove_piece(database, *keys);
}

Result<std::optional<RowOrigin>> find_origin(const store::Database& ledger,
                                             const RequestIdParts& id) {
  auto row = ledger.prepare(
      "SELECT ifnull(caller.key, ''), started_micros FROM exchange"
      " LEFT JOIN caller ON caller.id = exchange.caller"
      " WHERE exchange.key = ?1 AND request_tail = ?2");
  if (!row) return std::move(row).error();
  row->bind(1, static_cast<int64_t>(id.key));
  row->bind(2, static_cast<int64_t>(id.tail));
  auto found = row->step();
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<RowOrigin>();
  return std::optional(
      RowOrigin{.key = std::string(row->text(0)), .started_micros = row->integer(1)});
}

}  // namespace sluice::telemetry
