#include "telemetry/ledger_verify.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "telemetry/caller_sink.h"
#include "telemetry/usage_sums.h"

namespace sluice::telemetry {
namespace {

// What the rules hold for, bound by name: rows from :rows on are in the sums and kept, and so is
// what ended in :quarter or later.
struct Bounds {
  int64_t ok = 0;
  int64_t rows = 0;
  int64_t quarter = 0;
};

struct Rule {
  std::string problem;
  std::string count_sql;  // 0: the rule holds; ?1, ?2, ?3: the bounds
};

// Both ways: what one has and the other has not.
std::string difference(const std::string& one, const std::string& other) {
  return "SELECT count(*) FROM (SELECT * FROM (" + one + " EXCEPT " + other +
         ") UNION ALL SELECT * FROM (" + other + " EXCEPT " + one + "))";
}

std::vector<Rule> rules_of_rows() {
  return {
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
      {"what a request was for stands without its row",
       "SELECT count(*) FROM attribution WHERE key NOT IN (SELECT key FROM exchange)"},
      {"kept sums of requests, costs or tokens differ from the rows",
       "SELECT count(*) FROM (SELECT ifnull(sum(requests), 0), ifnull(sum(unpriced), 0),"
       " ifnull(sum(cost), 0), ifnull(sum(input), 0), ifnull(sum(cached), 0),"
       " ifnull(sum(output), 0), ifnull(sum(reasoning), 0) FROM usage_total"
       " EXCEPT SELECT sum(requests), sum(unpriced), sum(cost), sum(input), sum(cached),"
       " sum(output), sum(reasoning) FROM (SELECT requests, unpriced, cost, input, cached, output,"
       " reasoning FROM removed UNION ALL SELECT count(*), ifnull(sum(cost IS NULL), 0),"
       " ifnull(sum(cost), 0),"
       " ifnull(sum(plain_input + cache_write + cache_write_1h + audio_input), 0),"
       " ifnull(sum(cache_read), 0), ifnull(sum(visible_output + audio_output), 0),"
       " ifnull(sum(reasoning), 0) FROM exchange))"},
  };
}

// The sums of one table by hour and by day, of the rows and as they are kept.
std::vector<Rule> rules_of_sums(const std::string& table, const std::string& of_rows,
                                const std::string& of_sums) {
  const std::string hour(kHourOfRow);
  const std::string rows = "SELECT " + hour + " AS start, " + of_rows + ", " +
                           std::string(kFiguresOfRows) +
                           " FROM exchange WHERE key >= ?2 GROUP BY start, " + of_rows;
  const std::string figures =
      "requests, failed, unpriced, estimated, input, cached, output, reasoning, cost, credits";
  const std::string kept_from = "(?2 >> 21) / 3600000";
  const std::string hours = "SELECT start, " + of_sums + ", " + figures + " FROM " + table +
                            " WHERE span = 1 AND start >= " + kept_from;
  const std::string day = " / 24 * 24";
  const std::string days_of_hours =
      "SELECT start" + day + " AS day, " + of_sums + ", " + std::string(kFiguresOfSums) + " FROM " +
      table + " WHERE span = 1 AND start >= " + kept_from + day + " GROUP BY day, " + of_sums;
  const std::string days = "SELECT start, " + of_sums + ", " + figures + " FROM " + table +
                           " WHERE span = 24 AND start >= " + kept_from + day;
  return {{"lines of " + table + " differ from the rows of their hour", difference(rows, hours)},
          {"lines of " + table + " differ from the hours of their day",
           difference(days_of_hours, days)}};
}

// Of keys, teams and organisations: what users were charged, the rows do not say. `prefix` is the
// level, `name` a column of `caller`.
Rule rule_of_spend(const std::string& level, const std::string& name) {
  const std::string quarter = "(e.started_micros + e.duration) / 900000000";
  const std::string rows =
      "SELECT '" + level + ":' || c." + name + " AS subject, " + quarter +
      " AS quarter, sum(e.charged), count(*),"
      " sum(e.plain_input + e.cache_read + e.cache_write + e.cache_write_1h + e.audio_input),"
      " sum(e.visible_output + e.reasoning + e.audio_output)"
      " FROM exchange e JOIN caller c ON c.id = e.caller WHERE " +
      quarter + " >= ?3" +
      // A key may stand outside of any team.
      (name == "team" ? " AND c.team <> ''" : "") + " GROUP BY subject, quarter";
  const std::string kept =
      "SELECT subject, quarter, charged, requests, input, output FROM spend WHERE quarter >= ?3 AND"
      " subject >= '" +
      level + ":' AND subject < '" + level + ";'";
  return {"quarters of what each " + level + " spent differ from the rows", difference(rows, kept)};
}

Rule rule_of_all_time() {
  return {"sums of all that was spent differ from their quarters",
          "SELECT count(*) FROM (SELECT 1 FROM spend GROUP BY subject HAVING"
          " sum(iif(quarter = -1, -charged, charged)) <> 0 OR"
          " sum(iif(quarter = -1, -requests, requests)) <> 0)"};
}

Result<void> check_structure(const store::Database& database, VerifyReport& report) {
  auto rows = database.prepare("PRAGMA integrity_check(10)");
  if (!rows) return std::move(rows).error();
  for (auto row = rows->step();; row = rows->step()) {
    if (!row) return std::move(row).error();
    if (!*row) return {};
    if (rows->text(0) != "ok") report.problems.emplace_back(rows->text(0));
  }
}

Result<Bounds> read_bounds(const store::Database& database) {
  auto ok = id_of_ok(database);
  if (!ok) return std::move(ok).error();
  auto summed_from = read_mark(database, kSummedFrom);
  if (!summed_from) return std::move(summed_from).error();
  auto kept_from = read_mark(database, kKeptFrom);
  if (!kept_from) return std::move(kept_from).error();
  // A request that began before what is kept may have ended a while after.
  constexpr int64_t kQuartersPerHour = 4;
  constexpr int64_t kLongestRequest = 96;
  const int64_t quarter =
      *kept_from == 0
          ? 0
          : hour_of(static_cast<uint64_t>(*kept_from)) * kQuartersPerHour + kLongestRequest;
  return Bounds{.ok = *ok, .rows = std::max(*summed_from, *kept_from), .quarter = quarter};
}

Result<void> check(const store::Database& database, const Rule& rule, const Bounds& bounds,
                   VerifyReport& report) {
  auto broken = database.prepare(rule.count_sql);
  if (!broken) return std::move(broken).error();
  broken->bind(1, bounds.ok);
  broken->bind(2, bounds.rows);
  broken->bind(3, bounds.quarter);
  if (auto counted = broken->step(); !counted) return std::move(counted).error();
  if (const int64_t count = broken->integer(0); count > 0)
    report.problems.push_back(std::to_string(count) + ": " + rule.problem);
  return {};
}

}  // namespace

Result<VerifyReport> verify_ledger(const store::Database& database) {
  auto snapshot = store::Snapshot::take(database);
  if (!snapshot) return std::move(snapshot).error();
  VerifyReport report;
  if (auto checked = check_structure(database, report); !checked) return std::move(checked).error();
  auto rows = database.integer("SELECT count(*) FROM exchange");
  if (!rows) return std::move(rows).error();
  report.rows = *rows;
  auto bounds = read_bounds(database);
  if (!bounds) return std::move(bounds).error();
  std::vector<Rule> rules = rules_of_rows();
  const auto more = [&rules](std::vector<Rule> from) {
    for (Rule& rule : from) rules.push_back(std::move(rule));
  };
  more(rules_of_sums(
      "usage_sum",
      "ifnull(provider, 0), ifnull(model, 0), ifnull(alias, 0), outcome, ifnull(caller, 0)",
      "provider, model, alias, outcome, caller"));
  more(rules_of_sums("user_sum", "ifnull(user, '')", "user"));
  for (const std::string level : {"key", "team", "organisation"})
    rules.push_back(rule_of_spend(level, level));
  rules.push_back(rule_of_all_time());
  for (const Rule& rule : rules) {
    if (auto checked = check(database, rule, *bounds, report); !checked)
      return std::move(checked).error();
  }
  return report;
}

}  // namespace sluice::telemetry
