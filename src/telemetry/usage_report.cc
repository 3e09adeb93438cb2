#include "telemetry/usage_report.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/id.h"
#include "base/text_out.h"

namespace sluice::telemetry {
namespace {

struct GroupName {
  std::string_view name;
  UsageGroup group;
  std::string_view column;  // of exchange
};
constexpr GroupName kGroups[] = {
    {"model", UsageGroup::Model, "model"}, {"provider", UsageGroup::Provider, "provider"},
    {"alias", UsageGroup::Alias, "alias"}, {"user", UsageGroup::User, "user"},
    {"day", UsageGroup::Day, "day"},       {"outcome", UsageGroup::Outcome, "outcome"},
};
constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr size_t kDateLength = 10;

using Names = std::unordered_map<int64_t, std::string>;

Result<Names> read_names(const store::Database& database) {
  auto rows = database.prepare("SELECT id, text FROM name");
  if (!rows) return std::move(rows).error();
  Names names;
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return names;
    names.emplace(rows->integer(0), rows->text(1));
  }
}

std::string sql_for(UsageGroup group) {
  std::string sql = "SELECT ";
  sql += group == UsageGroup::Day ? "started_micros / 86400000000"
                                  : kGroups[static_cast<size_t>(group)].column;
  // Failed and priced are told apart by the name of the outcome, ?3.
  sql +=
      " AS grouped, count(*), sum(outcome IS NOT ?3), sum(cost IS NULL), sum(usage_source = 2),"
      " sum(plain_input + cache_write + cache_write_1h + audio_input), sum(cache_read),"
      " sum(visible_output + audio_output), sum(reasoning), ifnull(sum(cost), 0), "
      "ifnull(sum(credits), 0)"
      " FROM exchange WHERE key >= ?1 AND key < ?2 GROUP BY grouped";
  return sql;
}

// The first key of the millisecond; keys rise with time.
int64_t key_at(std::optional<int64_t> micros, int64_t otherwise) {
  return micros ? static_cast<int64_t>(first_key_at(*micros)) : otherwise;
}

std::string group_name(const store::Statement& row, UsageGroup group, const Names& names) {
  if (row.is_null(0)) return "";
  if (group == UsageGroup::Day) {
    char text[kTimestampBound];
    put_timestamp(text, row.integer(0) * kMicrosPerDay);
    return std::string(text, kDateLength);
  }
  if (group == UsageGroup::User || !row.is_integer(0)) return std::string(row.text(0));
  const auto known = names.find(row.integer(0));
  return known == names.end() ? "" : known->second;
}

UsageLine line_of(const store::Statement& row) {
  return {.name = "",
          .requests = row.integer(1),
          .failed = row.integer(2),
          .unpriced = row.integer(3),
          .estimated = row.integer(4),
          .tokens = {.input = row.integer(5),
                     .cached = row.integer(6),
                     .output = row.integer(7),
                     .reasoning = row.integer(8)},
          .cost = row.integer(9),
          .credits = row.integer(10)};
}

void add(UsageLine& to, const UsageLine& line) {
  to.requests += line.requests;
  to.failed += line.failed;
  to.unpriced += line.unpriced;
  to.estimated += line.estimated;
  to.tokens.input += line.tokens.input;
  to.tokens.cached += line.tokens.cached;
  to.tokens.output += line.tokens.output;
  to.tokens.reasoning += line.tokens.reasoning;
  to.cost += line.cost;
  to.credits += line.credits;
}

int64_t id_of(const Names& names, std::string_view text) {
  for (const auto& [id, name] : names) {
    if (name == text) return id;
  }
  return 0;
}

}  // namespace

std::optional<UsageGroup> usage_group_named(std::string_view name) {
  for (const GroupName& group : kGroups) {
    if (group.name == name) return group.group;
  }
  return std::nullopt;
}

Result<UsageReport> usage_report(const store::Database& database, const UsageQuery& query) {
  auto names = read_names(database);
  if (!names) return std::move(names).error();
  auto rows = database.prepare(sql_for(query.by));
  if (!rows) return std::move(rows).error();
  rows->bind(1, key_at(query.since_micros, 0));
  rows->bind(2, key_at(query.until_micros, std::numeric_limits<int64_t>::max()));
  rows->bind(3, id_of(*names, name_of(Outcome::Ok)));
  UsageReport report;
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) break;
    UsageLine line = line_of(*rows);
    line.name = group_name(*rows, query.by, *names);
    add(report.total, line);
    report.lines.push_back(std::move(line));
  }
  if (query.by != UsageGroup::Day) {
    std::stable_sort(report.lines.begin(), report.lines.end(),
                     [](const UsageLine& a, const UsageLine& b) {
                       return a.cost != b.cost ? a.cost > b.cost : a.requests > b.requests;
                     });
  }
  return report;
}

namespace {

struct Rule {
  std::string_view problem;
  std::string_view count_sql;  // 0: the rule holds
};
constexpr Rule kRules[] = {
    {"rows have a key that is no key", "SELECT count(*) FROM exchange WHERE key <= 0"},
    {"rows have a cost and say that it is unknown, or the other way round",
     "SELECT count(*) FROM exchange WHERE (cost IS NULL) <> (cost_source = 3)"},
    {"rows have a negative cost or token count",
     "SELECT count(*) FROM exchange WHERE cost < 0 OR plain_input < 0 OR cache_read < 0 OR"
     " cache_write < 0 OR cache_write_1h < 0 OR audio_input < 0 OR visible_output < 0 OR"
     " reasoning < 0 OR audio_output < 0"},
    {"rows have failed attempts that cost less than nothing or more than all",
     "SELECT count(*) FROM exchange WHERE attempts_cost < 0 OR attempts_unknown < 0 OR"
     " attempts_cost > cost"},
    {"rows name something the table of names does not have",
     "SELECT count(*) FROM exchange WHERE"
     " (typeof(model) = 'integer' AND model NOT IN (SELECT id FROM name)) OR"
     " (typeof(provider) = 'integer' AND provider NOT IN (SELECT id FROM name)) OR"
     " (typeof(outcome) = 'integer' AND outcome NOT IN (SELECT id FROM name))"},
    {"kept sums of requests, costs or tokens differ from the rows",
     "SELECT count(*) FROM (SELECT count(*), sum(cost IS NULL), ifnull(sum(cost), 0),"
     " sum(plain_input + cache_write + cache_write_1h + audio_input), sum(cache_read),"
     " sum(visible_output + audio_output), sum(reasoning) FROM exchange HAVING count(*) > 0"
     " EXCEPT SELECT sum(requests), sum(unpriced), sum(cost), sum(input), sum(cached),"
     " sum(output), sum(reasoning) FROM usage_total)"},
};

Result<void> check_structure(const store::Database& database, VerifyReport& report) {
  auto rows = database.prepare("PRAGMA integrity_check(10)");
  if (!rows) return std::move(rows).error();
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return {};
    if (rows->text(0) != "ok") report.problems.emplace_back(rows->text(0));
  }
}

}  // namespace

Result<VerifyReport> verify_ledger(const store::Database& database) {
  VerifyReport report;
  if (auto checked = check_structure(database, report); !checked) {
    return std::move(checked).error();
  }
  auto rows = database.integer("SELECT count(*) FROM exchange");
  if (!rows) return std::move(rows).error();
  report.rows = *rows;
  for (const Rule& rule : kRules) {
    auto broken = database.integer(rule.count_sql);
    if (!broken) return std::move(broken).error();
    if (*broken > 0) {
      report.problems.push_back(std::to_string(*broken) + ": " + std::string(rule.problem));
    }
  }
  return report;
}

}  // namespace sluice::telemetry
