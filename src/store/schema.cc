#include "store/schema.h"

#include <string>
#include <utility>

namespace sluice::store {
namespace {

constexpr int64_t kApplicationId = 0x534c5543;  // "SLUC": marks a file as ours

// exchange: one row per request that the gateway answered, refused or lost.
//   key          base/id.h: milliseconds | lane | sequence, so rows lie in the order of time
//   request_tail the other half of the request id
//   Columns marked [name] hold the id of a row of `name`, or the text itself when `name` is full.
//   stream       0 or 1
//   result       [name] ok, fallback_ok, error, cancelled, blocked: the label of llm_requests_total
//   usage_source 0 none, 1 reported by the provider, 2 estimated
//   cost         nano-dollars, of all attempts; null: nobody knows (cost_source 3)
//   cost_source  0 none, 1 tokens, 2 provider, 3 unpriced
//   table_cost   what the price table says, when the provider's own figure was taken as the cost
//   price_notes  bits, telemetry/price.h
//   durations    microseconds; ttft null: no content came
//   attempts     JSON, null for one attempt that succeeded (its target and time are in the row);
//                telemetry/row.cc
//   slim         1: written while the queue was nearly full; texts were left out, figures are whole
// usage_total: sums of exchange by label, kept in the same transaction: what counters start from.
constexpr char kExchangeSql[] = R"sql(
CREATE TABLE name (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE exchange (
  key               INTEGER PRIMARY KEY,
  request_tail      INTEGER NOT NULL,
  started_micros    INTEGER NOT NULL,
  trace_id          BLOB,
  client_request_id TEXT,
  endpoint          ANY NOT NULL,  -- [name]
  asked_model       TEXT,
  alias             ANY,           -- [name]
  provider          ANY,           -- [name]
  model             ANY,           -- [name]
  answered_model    ANY,           -- [name]; null: as asked of the provider
  user              TEXT,
  outcome           ANY NOT NULL,  -- [name]
  result            ANY NOT NULL,  -- [name]
  status            INTEGER NOT NULL,
  stream            INTEGER NOT NULL,
  plain_input       INTEGER NOT NULL,
  cache_read        INTEGER NOT NULL,
  cache_write       INTEGER NOT NULL,
  cache_write_1h    INTEGER NOT NULL,
  audio_input       INTEGER NOT NULL,
  visible_output    INTEGER NOT NULL,
  reasoning         INTEGER NOT NULL,
  audio_output      INTEGER NOT NULL,
  usage_source      INTEGER NOT NULL,
  cost              INTEGER,
  cost_source       INTEGER NOT NULL,
  table_cost        INTEGER,
  price_notes       INTEGER NOT NULL,
  price_version     ANY,           -- [name]
  duration          INTEGER NOT NULL,
  ttft              INTEGER,
  upstream          INTEGER NOT NULL,
  overhead          INTEGER NOT NULL,
  bytes_in          INTEGER NOT NULL,
  bytes_out         INTEGER NOT NULL,
  events            INTEGER NOT NULL,
  attempts          TEXT,
  error             TEXT,
  slim              INTEGER NOT NULL
) STRICT;

CREATE TABLE usage_total (
  provider  TEXT NOT NULL,
  model     TEXT NOT NULL,
  alias     TEXT NOT NULL,
  result    INTEGER NOT NULL,
  stream    INTEGER NOT NULL,
  requests  INTEGER NOT NULL,
  unpriced  INTEGER NOT NULL,
  input     INTEGER NOT NULL,
  cached    INTEGER NOT NULL,
  output    INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  cost      INTEGER NOT NULL,
  PRIMARY KEY (provider, model, alias, result, stream)
) STRICT, WITHOUT ROWID;
)sql";

// task    [name] what the caller wanted done, or was found to want
// reason  why these targets were chosen; [name] where many rows have the same
constexpr char kReasonSql[] = R"sql(
ALTER TABLE exchange ADD COLUMN task ANY;
ALTER TABLE exchange ADD COLUMN reason ANY;
)sql";

// caller       who was charged: a row per combination of names
//   organisation, team, key, environment as the configuration has them; '' where there is none
// exchange
//   caller     of `caller`; null: no key was asked for
//   charged    nano-dollars counted against the caller's budgets: the cost, or where that is
//   unknown
//              what was held for the request
// attribution  what a request was for, as the caller says; only of rows where something was said
//   metadata   a JSON object of strings
// spend        sums of `charged` by subject ("key:NAME", "team:NAME", "organisation:NAME",
//              "user:ORGANISATION/NAME") and quarter of an hour since 1970 in which a request
//              ended; quarter -1: of all time. Kept in the transaction of the rows: what budgets
//              start from
constexpr char kCallerSql[] = R"sql(
CREATE TABLE caller (
  id           INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  team         TEXT NOT NULL,
  key          TEXT NOT NULL,
  environment  TEXT NOT NULL,
  UNIQUE (organisation, team, key, environment)
) STRICT;
ALTER TABLE exchange ADD COLUMN caller INTEGER;
ALTER TABLE exchange ADD COLUMN charged INTEGER;
CREATE TABLE attribution (
  key          INTEGER PRIMARY KEY,
  conversation TEXT,
  session      TEXT,
  workflow     TEXT,
  execution    TEXT,
  mcp_server   TEXT,
  metadata     TEXT
) STRICT;
CREATE TABLE spend (
  subject  TEXT NOT NULL,
  quarter  INTEGER NOT NULL,
  charged  INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  input    INTEGER NOT NULL,
  output   INTEGER NOT NULL,
  PRIMARY KEY (subject, quarter)
) STRICT, WITHOUT ROWID;
)sql";

// attempts_cost     the part of cost that failed attempts spent: the rest is for the row's tokens
// attempts_unknown  failed attempts that may have cost more, nobody knows what
// Both are null in rows of before they were counted.
constexpr char kAttemptsCostSql[] = R"sql(
ALTER TABLE exchange ADD COLUMN attempts_cost INTEGER;
ALTER TABLE exchange ADD COLUMN attempts_unknown INTEGER;
)sql";

// exchange
//   service_tier   null: not told; else 1 standard, 2 batch, 3 flex, 4 priority, 5 fast, 6 another
//   upstream_cost  nano-dollars, beside cost: what the upstream of an intermediary took from the
//                  caller's own account there
//   credits        nano-credits, where the price is in credits
// repriced: one row per run of `sluice reprice`; the sums are of what is committed
//   cost_before, cost_after   nano-dollars, of the rows that changed
constexpr char kRepricedSql[] = R"sql(
ALTER TABLE exchange ADD COLUMN service_tier INTEGER;
ALTER TABLE exchange ADD COLUMN upstream_cost INTEGER;
ALTER TABLE exchange ADD COLUMN credits INTEGER;
CREATE TABLE repriced (
  id              INTEGER PRIMARY KEY,
  at_micros       INTEGER NOT NULL,
  actor           TEXT NOT NULL,
  from_micros     INTEGER NOT NULL,
  to_micros       INTEGER NOT NULL,
  provider        TEXT,
  model           TEXT,
  price_version   TEXT NOT NULL,
  rows            INTEGER NOT NULL,
  changed         INTEGER NOT NULL,
  unpriced_before INTEGER NOT NULL,
  unpriced_after  INTEGER NOT NULL,
  cost_before     INTEGER NOT NULL,
  cost_after      INTEGER NOT NULL
) STRICT;
)sql";

// mark: how far a job of the ledger's keeper is (telemetry/ledger_keeper.h)
//   summed_from  rows with this key and above are in usage_sum and user_sum; 0: all are
//   kept_from    rows with a key below, and their sums, are removed or about to be
// usage_sum: sums of exchange by hour (span 1) and by day of UTC (span 24), in the transaction of
// the rows: what a report is read from
//   start        hours since 1970 of the rows' keys
//   provider, model, alias, outcome   [name] as in exchange; 0: none
//   caller       of `caller`; 0: none
//   failed       outcome not ok
//   unpriced     requests whose cost nobody knows
//   estimated    requests whose tokens are an estimate
//   input, cached, output, reasoning   tokens; none is in two of them
//   cost         nano-dollars; credits  nano-credits
// user_sum: the same by end user; '' is nobody in particular
// removed: one row, the sums of what retention removed: usage_total is the sum of it and the rows
// spend, quarter -2: of the quarters that retention removed
constexpr char kSumsSql[] = R"sql(
CREATE TABLE mark (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO mark SELECT 'summed_from', ifnull(max(key) + 1, 0) FROM exchange;
INSERT INTO mark VALUES ('kept_from', 0);
CREATE TABLE usage_sum (
  span      INTEGER NOT NULL,
  start     INTEGER NOT NULL,
  provider  ANY NOT NULL,
  model     ANY NOT NULL,
  alias     ANY NOT NULL,
  outcome   ANY NOT NULL,
  caller    INTEGER NOT NULL,
  requests  INTEGER NOT NULL,
  failed    INTEGER NOT NULL,
  unpriced  INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  input     INTEGER NOT NULL,
  cached    INTEGER NOT NULL,
  output    INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  cost      INTEGER NOT NULL,
  credits   INTEGER NOT NULL,
  PRIMARY KEY (span, start, provider, model, alias, outcome, caller)
) STRICT, WITHOUT ROWID;
CREATE TABLE user_sum (
  span      INTEGER NOT NULL,
  start     INTEGER NOT NULL,
  user      TEXT NOT NULL,
  requests  INTEGER NOT NULL,
  failed    INTEGER NOT NULL,
  unpriced  INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  input     INTEGER NOT NULL,
  cached    INTEGER NOT NULL,
  output    INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  cost      INTEGER NOT NULL,
  credits   INTEGER NOT NULL,
  PRIMARY KEY (span, start, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE removed (
  requests  INTEGER NOT NULL,
  unpriced  INTEGER NOT NULL,
  input     INTEGER NOT NULL,
  cached    INTEGER NOT NULL,
  output    INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  cost      INTEGER NOT NULL
) STRICT;
INSERT INTO removed VALUES (0, 0, 0, 0, 0, 0, 0);
)sql";

// export     where `sluice export` copies exchanges to; a row per destination
//   id         of the two together, random: a destination that keeps it knows its ledger again
//   done       seq up to which the destination has every change
//   pending    end of the batch on its way; request_id: the name it was sent under
//   missed     changes that retention removed before they were there
// changed    exchanges in the order in which they were stored or repriced, from the first export
//            on: keys rise with the time a request began, and requests do not end in that order.
//            Lines are removed from the front alone and never the last, so that seq has no gaps.
//            Filled by triggers that the first export makes: without one rows cost nothing more
constexpr char kExportSql[] = R"sql(
CREATE TABLE export (
  destination TEXT PRIMARY KEY,
  id          TEXT NOT NULL,
  done        INTEGER NOT NULL,
  pending     INTEGER,
  request_id  TEXT,
  missed      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE changed (
  seq INTEGER PRIMARY KEY,
  key INTEGER NOT NULL
) STRICT;
)sql";

constexpr Migration kMigrations[] = {
    {1, "the ledger", kExchangeSql},
    {2, "task and reason of an exchange", kReasonSql},
    {3, "callers, what they are charged and what for", kCallerSql},
    {4, "the cost of attempts that failed", kAttemptsCostSql},
    {5, "service tier, upstream charge and credits of an exchange, runs of reprice", kRepricedSql},
    {6, "sums by hour and day, and what was removed", kSumsSql},
    {7, "exports and what changed since", kExportSql},
};

constexpr Schema kLedger{.application_id = kApplicationId, .migrations = kMigrations};

Result<void> check_owner(const Database& database, int64_t ours, int64_t version) {
  auto application = database.integer("PRAGMA application_id");
  if (!application) return std::move(application).error();
  if (*application == ours) return {};
  auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::move(tables).error();
  if (*application == 0 && version == 0 && *tables == 0) return {};
  return Error(Outcome::Bug,
               "database " + database.path() + " belongs to another program; name another file");
}

Result<void> apply(Database& database, const Migration& migration) {
  if (auto done = database.exec(migration.sql); !done) {
    return Error(Outcome::Bug, "migration " + std::to_string(migration.version) + " (" +
                                   std::string(migration.what) + "): " + done.error().message());
  }
  const std::string mark = "PRAGMA user_version=" + std::to_string(migration.version);
  return database.exec(mark.c_str());
}

// A file of this size is checked in a few milliseconds.
constexpr int64_t kQuickCheckBytes = 32 << 20;

Result<void> check_pages(const Database& database) {
  auto pages = database.integer("PRAGMA page_count");
  if (!pages) return std::move(pages).error();
  auto size = database.integer("PRAGMA page_size");
  if (!size) return std::move(size).error();
  if (*pages * *size > kQuickCheckBytes) return {};
  auto check = database.prepare("PRAGMA quick_check(1)");
  if (!check) return std::move(check).error();
  auto row = check->step();
  if (!row) return std::move(row).error();
  if (*row && check->text(0) == "ok") return {};
  return Error(Outcome::Bug, "database " + database.path() +
                                 ": damaged; restore it, or move it away to start a new one");
}

}  // namespace

Result<Database> open_store(const std::string& path, const Schema& schema, OpenOptions options) {
  auto database = Database::open(path, options);
  if (!database) return database;
  if (auto sound = check_pages(*database); !sound) return std::move(sound).error();
  if (auto migrated = migrate(*database, schema); !migrated) return std::move(migrated).error();
  return database;
}

std::span<const Migration> migrations() {
  return kMigrations;
}

const Schema& ledger_schema() {
  return kLedger;
}

Result<void> migrate(Database& database, std::span<const Migration> list) {
  return migrate(database, Schema{.application_id = kApplicationId, .migrations = list});
}

Result<void> migrate(Database& database, const Schema& schema) {
  const std::span<const Migration> list = schema.migrations;
  auto version = database.integer("PRAGMA user_version");
  if (!version) return std::move(version).error();
  if (auto ours = check_owner(database, schema.application_id, *version); !ours) return ours;
  const int newest = list.empty() ? 0 : list.back().version;
  if (*version > newest) {
    return Error(Outcome::Bug, "database " + database.path() + " has schema version " +
                                   std::to_string(*version) + ", this program knows " +
                                   std::to_string(newest) + ": a newer sluice made it");
  }
  if (*version == newest) return {};
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  const std::string mark = "PRAGMA application_id=" + std::to_string(schema.application_id);
  if (auto marked = database.exec(mark.c_str()); !marked) return marked;
  for (const Migration& migration : list) {
    if (migration.version <= *version) continue;
    if (auto applied = apply(database, migration); !applied) return applied;
  }
  return transaction->commit();
}

}  // namespace sluice::store
