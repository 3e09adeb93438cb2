#include "telemetry/ledger_keeper.h"

#include <algorithm>
#include <utility>

#include "store/free_pages.h"
#include "telemetry/caller_sink.h"
#include "telemetry/usage_sums.h"

namespace sluice::telemetry {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kQuartersPerDay = 96;
constexpr int kSubjectsPerPiece = 100;
enum Table : size_t { kExchange, kAttribution, kUsageSum, kUserSum, kSpend, kChanged };

constexpr const char* kDeleteSums[] = {
    "DELETE FROM usage_sum WHERE (span, start, provider, model, alias, outcome, caller) IN"
    " (SELECT span, start, provider, model, alias, outcome, caller FROM usage_sum"
    " WHERE span = ?1 AND start < ?2 LIMIT ?3)",
    "DELETE FROM user_sum WHERE (span, start, user) IN"
    " (SELECT span, start, user FROM user_sum WHERE span = ?1 AND start < ?2 LIMIT ?3)"};

// Runs one statement with these parameters; how many lines it changed.
Result<int64_t> change(store::Database& database, std::string_view sql,
                       std::initializer_list<int64_t> parameters) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  int index = 1;
  for (const int64_t parameter : parameters) statement->bind(index++, parameter);
  const int64_t before = database.total_changes();
  if (auto done = statement->run(); !done) return std::move(done).error();
  return database.total_changes() - before;
}

}  // namespace

int64_t LedgerKeeper::first_kept_day() const {
  if (options_.retention_days == 0) return 0;
  return std::max<int64_t>(clock_.wall_micros() / kMicrosPerDay - options_.retention_days, 0);
}

Result<bool> LedgerKeeper::step(store::Database& database) {
  if (job_ == Job::Sum) return sum_older(database);
  if (job_ != Job::Done) return remove(database);
  const int64_t day = first_kept_day();
  // A clock that was set back removes nothing, and one that went forward too far cannot be helped.
  if (day <= day_) return false;
  if (auto begun = begin_day(database, day); !begun) return std::move(begun).error();
  return true;
}

Result<bool> LedgerKeeper::sum_older(store::Database& database) {
  auto more = sum_older_rows(database, options_.rows_per_piece * 4);
  if (more && !*more) job_ = Job::Done;
  if (!more) return more;
  return true;
}

Result<void> LedgerKeeper::begin_day(store::Database& database, int64_t day) {
  auto kept_from = read_mark(database, kKeptFrom);
  if (!kept_from) return std::move(kept_from).error();
  // Reports do not look back further from now on, so that none shows a day half removed.
  const auto first = static_cast<int64_t>(first_key_of_hour(day * kHoursPerDay));
  if (first > *kept_from) {
    if (auto marked = set_mark(database, kKeptFrom, first); !marked) return marked;
  }
  day_ = day;
  subject_.clear();
  job_ = Job::Rows;
  return {};
}

// Rows before their sums: a sum may stand a while without its rows, never the other way round.
Result<bool> LedgerKeeper::remove(store::Database& database) {
  Result<bool> more = false;
  Job next = Job::Done;
  switch (job_) {
    case Job::Rows:
      more = remove_rows(database);
      next = Job::Changes;
      break;
    case Job::Changes:
      more = remove_changes(database);
      next = Job::UsageSums;
      break;
    case Job::UsageSums:
      more = remove_sums(database, kUsageSum);
      next = Job::UserSums;
      break;
    case Job::UserSums:
      more = remove_sums(database, kUserSum);
      next = Job::Spend;
      break;
    case Job::Spend:
      more = remove_spend(database);
      next = Job::Pages;
      break;
    default:
      more = give_back_pages(database);
      break;
  }
  if (!more) return more;
  if (!*more) job_ = next;
  return job_ != Job::Done;
}

Result<bool> LedgerKeeper::remove_rows(store::Database& database) {
  auto transaction = store::Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  auto last = database.prepare(
      "SELECT ifnull(max(key), 0) FROM"
      " (SELECT key FROM exchange WHERE key < ?1 ORDER BY key LIMIT ?2)");
  if (!last) return std::move(last).error();
  last->bind(1, static_cast<int64_t>(first_key_of_hour(day_ * kHoursPerDay)));
  last->bind(2, options_.rows_per_piece);
  if (auto found = last->step(); !found) return std::move(found).error();
  const int64_t until = last->integer(0);
  last->reset();
  if (until == 0) return false;
  constexpr std::string_view kSum =
      "UPDATE removed SET requests = requests + s.n, unpriced = unpriced + s.u,"
      " input = input + s.i, cached = cached + s.c, output = output + s.o,"
      " reasoning = reasoning + s.r, cost = cost + s.d FROM (SELECT count(*) AS n,"
      " sum(cost IS NULL) AS u,"
      " sum(plain_input + cache_write + cache_write_1h + audio_input) AS i, sum(cache_read) AS c,"
      " sum(visible_output + audio_output) AS o, sum(reasoning) AS r, ifnull(sum(cost), 0) AS d"
      " FROM exchange WHERE key <= ?1) AS s";
  if (auto summed = change(database, kSum, {until}); !summed) return std::move(summed).error();
  auto said = change(database, "DELETE FROM attribution WHERE key <= ?1", {until});
  if (!said) return std::move(said).error();
  auto rows = change(database, "DELETE FROM exchange WHERE key <= ?1", {until});
  if (!rows) return std::move(rows).error();
  if (auto committed = transaction->commit(); !committed) return std::move(committed).error();
  count(kAttribution, *said);
  count(kExchange, *rows);
  return true;
}

// From the front to the first row that is kept: what was repriced or ended late stands behind it,
// and goes when it is the front. The last line stays, for the next one's number.
Result<bool> LedgerKeeper::remove_changes(store::Database& database) {
  constexpr std::string_view kDelete =
      "WITH front AS MATERIALIZED (SELECT seq, key FROM changed ORDER BY seq LIMIT ?2)"
      " DELETE FROM changed WHERE seq < ifnull((SELECT min(seq) FROM front WHERE key >= ?1),"
      " (SELECT max(seq) FROM front))";
  auto lines = change(
      database, kDelete,
      {static_cast<int64_t>(first_key_of_hour(day_ * kHoursPerDay)), options_.rows_per_piece});
  if (!lines) return std::move(lines).error();
  count(kChanged, *lines);
  return *lines > 0;
}

Result<bool> LedgerKeeper::remove_sums(store::Database& database, size_t table) {
  int64_t removed = 0;
  for (const int64_t span : {int64_t{1}, kHoursPerDay}) {
    auto lines = change(database, kDeleteSums[table - kUsageSum],
                        {span, day_ * kHoursPerDay, options_.rows_per_piece});
    if (!lines) return std::move(lines).error();
    removed += *lines;
  }
  count(table, removed);
  return removed > 0;
}

// Subject by subject: the table is in their order.
Result<bool> LedgerKeeper::remove_spend(store::Database& database) {
  auto transaction = store::Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  const int64_t before = removed_[kSpend];
  std::string subject = subject_;
  bool more = true;
  for (int i = 0; i < kSubjectsPerPiece; ++i) {
    auto next = database.prepare("SELECT min(subject) FROM spend WHERE subject > ?1");
    if (!next) return std::move(next).error();
    next->bind(1, std::string_view(subject));
    if (auto found = next->step(); !found) return std::move(found).error();
    more = !next->is_null(0);
    if (!more) break;
    const std::string found(next->text(0));
    next->reset();
    auto rest = remove_spend_of(database, found);
    if (!rest) return rest;
    if (*rest) break;  // this one again, in the next piece
    subject = found;
  }
  if (auto committed = transaction->commit(); !committed) {
    removed_[kSpend] = before;
    return std::move(committed).error();
  }
  subject_ = subject;
  return more;
}

// True: there is more to remove of it.
Result<bool> LedgerKeeper::remove_spend_of(store::Database& database, std::string_view subject) {
  const int64_t today = clock_.wall_micros() / kMicrosPerDay;
  const int64_t until =
      std::min(day_, std::max<int64_t>(today - options_.least_spend_days, 0)) * kQuartersPerDay;
  auto last = database.prepare(
      "SELECT max(quarter), count(*) FROM (SELECT quarter FROM spend WHERE subject = ?1 AND"
      " quarter >= 0 AND quarter < ?2 ORDER BY quarter LIMIT ?3)");
  if (!last) return std::move(last).error();
  last->bind(1, subject);
  last->bind(2, until);
  last->bind(3, options_.rows_per_piece);
  if (auto found = last->step(); !found) return std::move(found).error();
  const int64_t quarters = last->integer(1);
  const int64_t last_quarter = last->integer(0);
  last->reset();
  if (quarters == 0) return false;
  constexpr std::string_view kMove =
      "INSERT INTO spend SELECT subject, ?3, sum(charged), sum(requests), sum(unpriced),"
      " sum(input), sum(output) FROM spend WHERE subject = ?1 AND quarter >= 0 AND quarter <= ?2"
      " GROUP BY subject ON CONFLICT DO UPDATE SET charged = charged + excluded.charged,"
      " requests = requests + excluded.requests, unpriced = unpriced + excluded.unpriced,"
      " input = input + excluded.input, output = output + excluded.output";
  constexpr std::string_view kDelete =
      "DELETE FROM spend WHERE subject = ?1 AND quarter >= 0 AND quarter <= ?2";
  for (const std::string_view sql : {kMove, kDelete}) {
    auto statement = database.prepare(sql);
    if (!statement) return std::move(statement).error();
    statement->bind(1, subject);
    statement->bind(2, last_quarter);
    statement->bind(3, kRemovedQuarter);
    if (auto done = statement->run(); !done) return std::move(done).error();
  }
  count(kSpend, quarters);
  return quarters == options_.rows_per_piece;
}

Result<bool> LedgerKeeper::give_back_pages(store::Database& database) {
  auto freed = store::give_back_pages(database);
  if (!freed) return std::move(freed).error();
  freed_.fetch_add(*freed);
  if (*freed > 0) return true;
  // The file gets shorter when the write-ahead log is moved into it.
  if (auto moved = database.checkpoint(); !moved) return std::move(moved).error();
  log_.info("old rows of the ledger were removed",
            {{"rows", removed_lines(kExchange)}, {"freed_bytes", freed_bytes()}});
  return false;
}

}  // namespace sluice::telemetry
