#include "telemetry/usage_report.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/id.h"
#include "base/text_out.h"
#include "telemetry/name_reader.h"

namespace sluice::telemetry {
namespace {

struct GroupName {
  std::string_view name;
  UsageGroup group;
  std::string_view column;  // of exchange and of the sums, or of `caller`
};
constexpr GroupName kGroups[] = {
    {"model", UsageGroup::Model, "model"},
    {"provider", UsageGroup::Provider, "provider"},
    {"alias", UsageGroup::Alias, "alias"},
    {"user", UsageGroup::User, "user"},
    {"day", UsageGroup::Day, ""},
    {"outcome", UsageGroup::Outcome, "outcome"},
    {"key", UsageGroup::Key, "key"},
    {"team", UsageGroup::Team, "team"},
    {"organisation", UsageGroup::Organisation, "organisation"},
    {"environment", UsageGroup::Environment, "environment"},
};
constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr size_t kDateLength = 10;
constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();

bool is_of_caller(UsageGroup group) {
  return group >= UsageGroup::Key;
}

// A part of the asked time, read from one place.
struct Piece {
  enum class Of : uint8_t { Rows, Hours, Days } of;
  int64_t from;   // keys of rows, hours of sums
  int64_t until;  // likewise, left out
};

struct Span {
  int64_t from;
  int64_t until;
};

int64_t ceil_div(int64_t value, int64_t by) {
  return value / by + (value % by == 0 ? 0 : 1);
}

// The first hour that begins with this key or later.
int64_t hour_from(int64_t key) {
  const int64_t hour = hour_of(static_cast<uint64_t>(key));
  return hour + (static_cast<int64_t>(first_key_of_hour(hour)) < key ? 1 : 0);
}

int64_t first_key(int64_t hour) {
  return static_cast<int64_t>(first_key_of_hour(hour));
}

// As much as possible from days, then hours. `summed_from`: earlier rows are in no sum yet.
std::vector<Piece> pieces_of(Span keys, int64_t summed_from) {
  std::vector<Piece> pieces;
  const auto put = [&pieces](Piece::Of of, int64_t from, int64_t until) {
    if (from < until) pieces.push_back({of, from, until});
  };
  const Span hours{.from = hour_from(std::max(keys.from, summed_from)),
                   .until = hour_of(static_cast<uint64_t>(keys.until))};
  if (hours.from >= hours.until) {
    put(Piece::Of::Rows, keys.from, keys.until);
    return pieces;
  }
  put(Piece::Of::Rows, keys.from, first_key(hours.from));
  const Span days{.from = ceil_div(hours.from, kHoursPerDay) * kHoursPerDay,
                  .until = hours.until / kHoursPerDay * kHoursPerDay};
  if (days.from < days.until) {
    put(Piece::Of::Hours, hours.from, days.from);
    put(Piece::Of::Days, days.from, days.until);
    put(Piece::Of::Hours, days.until, hours.until);
  } else {
    put(Piece::Of::Hours, hours.from, hours.until);
  }
  put(Piece::Of::Rows, first_key(hours.until), keys.until);
  return pieces;
}

// What stands in a row for the group: a [name], a text, a day or the id of a caller.
std::string grouped_by(UsageGroup group, bool rows) {
  if (group == UsageGroup::Day)
    return (rows ? std::string(kHourOfRow) : "start") + " / " + std::to_string(kHoursPerDay);
  if (is_of_caller(group)) return "caller";
  return std::string(kGroups[static_cast<size_t>(group)].column);
}

std::string sql_for(UsageGroup group, Piece::Of of) {
  const bool rows = of == Piece::Of::Rows;
  std::string sql = "SELECT " + grouped_by(group, rows) + " AS grouped, ";
  sql += rows ? kFiguresOfRows : kFiguresOfSums;
  if (rows) return sql + " FROM exchange WHERE key >= ?2 AND key < ?3 GROUP BY grouped";
  sql += group == UsageGroup::User ? " FROM user_sum" : " FROM usage_sum";
  return sql + " WHERE span = ?1 AND start >= ?2 AND start < ?3 GROUP BY grouped";
}

// One report while it is made: lines by name.
class Making {
 public:
  Making(const store::Database& database, UsageGroup group, NameReader names)
      : database_(database), group_(group), names_(std::move(names)) {}

  Result<void> read_callers();
  Result<void> read(const Piece& piece, int64_t ok);
  UsageReport report();

 private:
  std::string name_in(const store::Statement& row);

  const store::Database& database_;
  const UsageGroup group_;
  NameReader names_;
  std::map<int64_t, std::string> callers_;
  std::map<std::string, UsageSum> lines_;
};

Result<void> Making::read_callers() {
  if (!is_of_caller(group_)) return {};
  auto rows = database_.prepare(
      "SELECT id, " + std::string(kGroups[static_cast<size_t>(group_)].column) + " FROM caller");
  if (!rows) return std::move(rows).error();
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return {};
    callers_.emplace(rows->integer(0), rows->text(1));
  }
}

std::string Making::name_in(const store::Statement& row) {
  if (is_of_caller(group_)) {
    const auto known = callers_.find(row.integer(0));
    return known == callers_.end() ? "" : known->second;
  }
  if (group_ == UsageGroup::Day) {
    char text[kTimestampBound];
    put_timestamp(text, row.integer(0) * kMicrosPerDay);
    return std::string(text, kDateLength);
  }
  return group_ == UsageGroup::User ? std::string(row.text(0)) : names_.text_of(row, 0);
}

Result<void> Making::read(const Piece& piece, int64_t ok) {
  auto rows = database_.prepare(sql_for(group_, piece.of));
  if (!rows) return std::move(rows).error();
  constexpr int64_t kHour = 1;
  rows->bind(1, piece.of == Piece::Of::Rows   ? ok
                : piece.of == Piece::Of::Days ? kHoursPerDay
                                              : kHour);
  rows->bind(2, piece.from);
  rows->bind(3, piece.until);
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return {};
    add(lines_[name_in(*rows)], sum_in(*rows, 1));
  }
}

UsageReport Making::report() {
  UsageReport report;
  for (auto& [name, sum] : lines_) {
    add(report.total, sum);
    report.lines.push_back({sum, name});
  }
  if (group_ == UsageGroup::Day) return report;
  std::stable_sort(report.lines.begin(), report.lines.end(),
                   [](const UsageLine& a, const UsageLine& b) {
                     return a.cost != b.cost ? a.cost > b.cost : a.requests > b.requests;
                   });
  return report;
}

}  // namespace

std::optional<UsageGroup> usage_group_named(std::string_view name) {
  for (const GroupName& group : kGroups) {
    if (group.name == name) return group.group;
  }
  return std::nullopt;
}

Result<UsageReport> usage_report(const store::Database& database, const UsageQuery& query) {
  auto snapshot = store::Snapshot::take(database);
  if (!snapshot) return std::move(snapshot).error();
  auto names = NameReader::open(database);
  if (!names) return std::move(names).error();
  auto ok = id_of_ok(database);
  if (!ok) return std::move(ok).error();
  auto summed_from = read_mark(database, kSummedFrom);
  if (!summed_from) return std::move(summed_from).error();
  auto kept_from = read_mark(database, kKeptFrom);
  if (!kept_from) return std::move(kept_from).error();
  auto newest = database.integer("SELECT ifnull(max(key), 0) FROM exchange");
  if (!newest) return std::move(newest).error();
  // An open end is a whole day beyond the last row: nothing but sums is read there.
  const int64_t beyond =
      first_key((hour_of(static_cast<uint64_t>(*newest)) / kHoursPerDay + 1) * kHoursPerDay);
  const auto key_at = [](std::optional<int64_t> micros, int64_t otherwise) {
    return micros ? static_cast<int64_t>(first_key_at(*micros)) : otherwise;
  };
  const Span keys{.from = std::max(key_at(query.since_micros, 0), *kept_from),
                  .until = std::min(key_at(query.until_micros, kForEver), beyond)};
  Making making(database, query.by, *std::move(names));
  if (auto read = making.read_callers(); !read) return std::move(read).error();
  for (const Piece& piece : pieces_of(keys, *summed_from)) {
    if (auto read = making.read(piece, *ok); !read) return std::move(read).error();
  }
  return making.report();
}

}  // namespace sluice::telemetry
