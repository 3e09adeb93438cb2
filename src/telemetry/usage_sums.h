// The sums a report is read from: tables `usage_sum` and `user_sum` (store/schema.cc), changed only
// in the transaction that changes the rows, so that they cannot differ from them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/money.h"
#include "store/sqlite.h"
#include "telemetry/meters.h"

namespace sluice::telemetry {

// What is summed, of rows or of differences between rows.
struct UsageSum {
  int64_t requests = 0;
  int64_t failed = 0;     // outcome not ok
  int64_t unpriced = 0;   // requests whose cost nobody knows; not in `cost`
  int64_t estimated = 0;  // requests whose tokens are an estimate
  TokenCounts tokens;
  NanoDollars cost = 0;
  int64_t credits = 0;  // nano-credits, of requests priced in credits
};
void add(UsageSum& to, const UsageSum& sum);

// The same figures in SQL: of rows of `exchange`, where parameter ?1 is the id of the name "ok",
// and of lines of sums. Both begin a list of columns in the order of UsageSum; sum_in() reads them.
inline constexpr std::string_view kFiguresOfRows =
    "count(*), sum(outcome NOT IN (?1, 'ok')), sum(cost IS NULL), sum(usage_source = 2),"
    " sum(plain_input + cache_write + cache_write_1h + audio_input), sum(cache_read),"
    " sum(visible_output + audio_output), sum(reasoning), ifnull(sum(cost), 0),"
    " ifnull(sum(credits), 0)";
inline constexpr std::string_view kFiguresOfSums =
    "sum(requests), sum(failed), sum(unpriced), sum(estimated), sum(input), sum(cached),"
    " sum(output), sum(reasoning), sum(cost), sum(credits)";
UsageSum sum_in(const store::Statement& row, int first_column);

// The hour, since 1970 UTC, a row's sums stand under. By its key: keys never run backwards, clocks
// do.
int64_t hour_of(uint64_t key);
uint64_t first_key_of_hour(int64_t hour);
inline constexpr std::string_view kHourOfRow = "((key >> 21) / 3600000)";
inline constexpr int64_t kHoursPerDay = 24;

// A [name] column: the id, or 0 and the text; 0 and no text: none.
struct NameValue {
  int64_t id = 0;
  std::string_view text = {};
};

// What a row is summed under.
struct SumsOf {
  uint64_t key = 0;
  NameValue provider;
  NameValue model;
  NameValue alias;
  NameValue outcome;
  int64_t caller = 0;
  std::string_view user;
};

// Collects what a transaction adds, and writes it once.
class UsageSums {
 public:
  void add(const SumsOf& of, const UsageSum& sum);
  // Inside the transaction.
  Result<void> write(const store::Database& database);
  void committed();
  void rolled_back();

 private:
  static constexpr size_t kNames = 4;
  struct Line {
    int64_t hour = 0;
    std::array<int64_t, kNames> ids{};
    std::array<std::string, kNames> texts;
    int64_t caller = 0;
    std::string user;
    UsageSum sum;
  };
  using Lines = std::unordered_map<std::string, Line>;

  Result<void> prepare(const store::Database& database);
  static Result<void> write_line(store::Statement& to, const Line& line);
  static Result<void> write_user(store::Statement& to, const Line& line);

  std::optional<store::Statement> add_usage_;
  std::optional<store::Statement> add_user_;
  // Of this transaction, by the bytes of what they are summed under.
  Lines lines_;
  Lines users_;
  std::string key_;
};

// Rows from `summed_from` on are summed when they are written. Older ones, of a ledger that an
// earlier version wrote, are added from the newest down, so many at a time; false: all are.
// In a transaction of its own.
Result<bool> sum_older_rows(store::Database& database, int64_t most_rows);

// Where a job of the keeper stands: store/schema.cc.
inline constexpr std::string_view kSummedFrom = "summed_from";
inline constexpr std::string_view kKeptFrom = "kept_from";
Result<int64_t> read_mark(const store::Database& database, std::string_view name);
Result<void> set_mark(const store::Database& database, std::string_view name, int64_t value);

// Of the name "ok": for kFiguresOfRows.
Result<int64_t> id_of_ok(const store::Database& database);

}  // namespace sluice::telemetry
