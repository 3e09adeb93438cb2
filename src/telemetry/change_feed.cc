#include "telemetry/change_feed.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/id.h"

namespace sluice::telemetry {
namespace {

// Of the cells of one batch: what a statement of Snowflake's may carry is 16 MB.
constexpr size_t kMostBytes = 4 << 20;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
// Of exchange_select_list().
constexpr int kKeyCell = 0;
constexpr int kRevisionCell = 1;

constexpr std::string_view kFrom =
    " FROM changed LEFT JOIN exchange ON exchange.key = changed.key"
    " LEFT JOIN caller ON caller.id = exchange.caller"
    " LEFT JOIN attribution ON attribution.key = exchange.key"
    " WHERE changed.seq > ?1 AND changed.seq <= ?2 AND changed.key >= ?3 AND changed.key < ?4"
    " ORDER BY changed.seq LIMIT ?5";

int64_t first_key(const FeedWindow& window) {
  return window.since ? static_cast<int64_t>(first_key_at(*window.since)) : 0;
}

int64_t end_key(const FeedWindow& window) {
  return window.until ? static_cast<int64_t>(first_key_at(*window.until)) : kNoLimit;
}

Result<std::string> first_text(const store::Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return std::string(*row ? statement->text(0) : "");
}

}  // namespace

ChangeFeed::ChangeFeed(const store::Database& database, store::Statement select, NameReader names,
                       FeedWindow window)
    : database_(&database),
      select_(std::move(select)),
      names_(std::move(names)),
      window_(window),
      first_key_(first_key(window)),
      end_key_(end_key(window)) {}

Result<ChangeFeed> ChangeFeed::open(const store::Database& database, FeedWindow window) {
  auto names = NameReader::open(database);
  if (!names) return std::move(names).error();
  auto select = database.prepare("SELECT " + exchange_select_list() + std::string(kFrom));
  if (!select) return std::move(select).error();
  return ChangeFeed(database, *std::move(select), *std::move(names), window);
}

Result<FeedBatch> ChangeFeed::read(int64_t after, int64_t most, std::optional<int64_t> end) {
  // Where it ends is asked first: what is stored meanwhile is for the next time.
  auto last = newest();
  if (!last) return std::move(last).error();
  auto gap = gap_behind(after);
  if (!gap) return std::move(gap).error();
  FeedBatch batch;
  batch.end = end.value_or(*last);
  batch.missed = *gap;
  std::unordered_map<int64_t, size_t> places;  // of the rows, by key
  int64_t changes = 0;
  size_t bytes = 0;
  select_.bind(1, after);
  select_.bind(2, batch.end);
  select_.bind(3, first_key_);
  select_.bind(4, end_key_);
  select_.bind(5, end ? kNoLimit : most);
  for (auto row = select_.step();; row = select_.step()) {
    if (!row) {
      select_.reset();
      return std::move(row).error();
    }
    if (!*row) break;
    ++changes;
    const int64_t seq = select_.integer(kRevisionCell);
    if (select_.is_null(kKeyCell)) {
      ++batch.missed;
    } else {
      bytes += add(batch.rows, places);
    }
    if (end || (changes < most && bytes < kMostBytes)) continue;
    batch.end = seq;
    break;
  }
  select_.reset();
  std::erase_if(batch.rows, [](const ExchangeRow& row) { return row.cells.empty(); });
  return batch;
}

// The row that stands ready; its size. A row that changed twice is told once, at the later place.
size_t ChangeFeed::add(std::vector<ExchangeRow>& rows,
                       std::unordered_map<int64_t, size_t>& places) {
  ExchangeRow next = read_exchange(select_, names_);
  size_t bytes = 0;
  for (const auto& cell : next.cells) bytes += cell ? cell->size() : 0;
  const auto [known, fresh] = places.try_emplace(next.key, rows.size());
  if (!fresh) rows[known->second].cells.clear();
  known->second = rows.size();
  rows.push_back(std::move(next));
  return bytes;
}

// Changes behind `after` that were removed before they were read. Of a period nobody knows whether
// they were part of it.
Result<int64_t> ChangeFeed::gap_behind(int64_t after) const {
  if (!window_.whole()) return int64_t{0};
  auto first = database_->integer("SELECT ifnull(min(seq), 0) FROM changed");
  if (!first) return first;
  return std::max<int64_t>(0, *first - after - 1);
}

Result<int64_t> ChangeFeed::newest() const {
  return database_->integer("SELECT ifnull(max(seq), 0) FROM changed");
}

Result<int64_t> changes_waiting(const store::Database& database, int64_t after, FeedWindow window) {
  auto exports = database.integer("SELECT count(*) FROM export");
  if (!exports) return exports;
  // Before the first export there is no feed: all rows will be its beginning.
  auto count = database.prepare(
      *exports == 0 ? "SELECT count(*) FROM exchange WHERE key > ?1 AND key >= ?2 AND key < ?3"
                    : "SELECT count(*) FROM changed CROSS JOIN exchange USING (key)"
                      " WHERE seq > ?1 AND key >= ?2 AND key < ?3");
  if (!count) return std::move(count).error();
  count->bind(1, after);
  count->bind(2, first_key(window));
  count->bind(3, end_key(window));
  auto row = count->step();
  if (!row) return std::move(row).error();
  return count->integer(0);
}

Result<std::optional<int64_t>> ExportCursor::peek(const store::Database& database,
                                                  const std::string& destination) {
  auto row = database.prepare("SELECT done FROM export WHERE destination = ?1");
  if (!row) return std::move(row).error();
  row->bind(1, std::string_view(destination));
  auto found = row->step();
  if (!found) return std::move(found).error();
  return *found ? std::optional(row->integer(0)) : std::optional<int64_t>();
}

Result<ExportCursor> ExportCursor::open(store::Database& database, std::string destination) {
  ExportCursor cursor(database, std::move(destination));
  auto found = cursor.read();
  if (!found) return std::move(found).error();
  if (*found) return cursor;
  if (auto made = cursor.make(); !made) return std::move(made).error();
  return cursor;
}

Result<bool> ExportCursor::read() {
  auto row = database_->prepare(
      "SELECT id, done, pending, request_id, missed FROM export WHERE destination = ?1");
  if (!row) return std::move(row).error();
  row->bind(1, std::string_view(destination_));
  auto found = row->step();
  if (!found || !*found) return found;
  id_ = row->text(0);
  done_ = row->integer(1);
  missed_ = row->integer(4);
  if (const auto end = row->maybe_integer(2))
    pending_ = PendingBatch{.end = *end, .request_id = std::string(row->text(3))};
  return true;
}

// From here on the gateway writes down what changes; what is there already, we do. In one
// transaction: no row can fall between.
Result<void> ExportCursor::make() {
  auto transaction = store::Transaction::begin(*database_);
  if (!transaction) return std::move(transaction).error();
  auto earlier = database_->integer("SELECT count(*) FROM export");
  if (!earlier) return std::move(earlier).error();
  // What an export of old left there has gaps; only the number to go on from is good.
  constexpr const char* kFollow =
      "CREATE TRIGGER IF NOT EXISTS exchange_stored AFTER INSERT ON exchange"
      " WHEN EXISTS (SELECT 1 FROM export) BEGIN INSERT INTO changed(key) VALUES (new.key); END;"
      "CREATE TRIGGER IF NOT EXISTS exchange_repriced AFTER UPDATE ON exchange"
      " WHEN EXISTS (SELECT 1 FROM export) BEGIN INSERT INTO changed(key) VALUES (new.key); END;"
      "DELETE FROM changed WHERE seq < (SELECT max(seq) FROM changed);"
      "INSERT INTO changed(key) SELECT key FROM exchange ORDER BY key";
  if (*earlier == 0) {
    if (auto filled = database_->exec(kFollow); !filled) return filled;
  }
  auto id = new_uuid(*database_);
  if (!id) return std::move(id).error();
  // Rows that are gone already are no loss to a new destination.
  auto first = database_->integer(
      "SELECT ifnull((SELECT seq FROM changed CROSS JOIN exchange USING (key) ORDER BY seq LIMIT "
      "1),"
      " (SELECT ifnull(max(seq), 0) + 1 FROM changed))");
  if (!first) return std::move(first).error();
  auto insert = database_->prepare("INSERT INTO export VALUES(?1, ?2, ?3, NULL, NULL, 0)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, std::string_view(destination_));
  insert->bind(2, std::string_view(*id));
  insert->bind(3, *first - 1);
  if (auto inserted = insert->run(); !inserted) return inserted;
  id_ = *std::move(id);
  done_ = *first - 1;
  return transaction->commit();
}

Result<PendingBatch> ExportCursor::begin(int64_t end) {
  auto id = new_uuid(*database_);
  if (!id) return std::move(id).error();
  auto update =
      database_->prepare("UPDATE export SET pending = ?2, request_id = ?3 WHERE destination = ?1");
  if (!update) return std::move(update).error();
  update->bind(1, std::string_view(destination_));
  update->bind(2, end);
  update->bind(3, std::string_view(*id));
  if (auto updated = update->run(); !updated) return std::move(updated).error();
  PendingBatch batch;
  batch.end = end;
  batch.request_id = *std::move(id);
  pending_ = batch;
  return batch;
}

Result<void> ExportCursor::finish(int64_t end, int64_t missed) {
  auto update = database_->prepare(
      "UPDATE export SET done = ?2, pending = NULL, request_id = NULL, missed = missed + ?3"
      " WHERE destination = ?1");
  if (!update) return std::move(update).error();
  update->bind(1, std::string_view(destination_));
  update->bind(2, end);
  update->bind(3, missed);
  if (auto updated = update->run(); !updated) return updated;
  done_ = end;
  missed_ += missed;
  pending_.reset();
  return {};
}

Result<std::string> new_uuid(const store::Database& database) {
  return first_text(
      database,
      "SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' ||"
      " substr(h, 18, 3) || '-' || substr(h, 21, 12) FROM (SELECT lower(hex(randomblob(16))) AS "
      "h)");
}

}  // namespace sluice::telemetry
