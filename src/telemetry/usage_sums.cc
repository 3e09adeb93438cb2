#include "telemetry/usage_sums.h"

#include <utility>

#include "base/id.h"

namespace sluice::telemetry {
namespace {

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int64_t kMillisPerHour = 3'600'000;
constexpr int kKeyShift = 21;  // base/id.h
constexpr int64_t kSpans[] = {1, kHoursPerDay};

constexpr std::string_view kOnConflict =
    " ON CONFLICT DO UPDATE SET requests=requests+excluded.requests,"
    "failed=failed+excluded.failed,unpriced=unpriced+excluded.unpriced,"
    "estimated=estimated+excluded.estimated,input=input+excluded.input,"
    "cached=cached+excluded.cached,output=output+excluded.output,"
    "reasoning=reasoning+excluded.reasoning,cost=cost+excluded.cost,"
    "credits=credits+excluded.credits";

template <class Number>
void put(std::string& key, Number number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put(std::string& key, const NameValue& name) {
  put(key, name.id);
  if (name.id != 0) return;
  put(key, name.text.size());
  key += name.text;
}

void bind_sum(store::Statement& to, int column, const UsageSum& sum) {
  for (const int64_t value :
       {sum.requests, sum.failed, sum.unpriced, sum.estimated, sum.tokens.input, sum.tokens.cached,
        sum.tokens.output, sum.tokens.reasoning, sum.cost, sum.credits}) {
    to.bind(column++, value);
  }
}

int64_t start_of(int64_t hour, int64_t span) {
  return hour / span * span;
}

// Sums the rows with a key from ?2 on and before ?3 into one of the tables.
std::string sql_of_older(std::string_view table, std::string_view dimensions, int64_t span) {
  std::string sql("INSERT INTO ");
  sql += table;
  sql += " SELECT ";
  sql += std::to_string(span);
  sql += ", ";
  sql += kHourOfRow;
  sql += " / " + std::to_string(span) + " * " + std::to_string(span) + " AS start, ";
  sql += dimensions;
  sql += ", ";
  sql += kFiguresOfRows;
  sql += " FROM exchange WHERE key >= ?2 AND key < ?3 GROUP BY start, ";
  sql += dimensions;
  sql += kOnConflict;
  return sql;
}

}  // namespace

void add(UsageSum& to, const UsageSum& sum) {
  to.requests += sum.requests;
  to.failed += sum.failed;
  to.unpriced += sum.unpriced;
  to.estimated += sum.estimated;
  to.tokens.input += sum.tokens.input;
  to.tokens.cached += sum.tokens.cached;
  to.tokens.output += sum.tokens.output;
  to.tokens.reasoning += sum.tokens.reasoning;
  to.cost += sum.cost;
  to.credits += sum.credits;
}

UsageSum sum_in(const store::Statement& row, int first_column) {
  const auto at = [&](int column) { return row.integer(first_column + column); };
  return {.requests = at(0),
          .failed = at(1),
          .unpriced = at(2),
          .estimated = at(3),
          .tokens = {.input = at(4), .cached = at(5), .output = at(6), .reasoning = at(7)},
          .cost = at(8),
          .credits = at(9)};
}

int64_t hour_of(uint64_t key) {
  return static_cast<int64_t>(key >> kKeyShift) / kMillisPerHour;
}

uint64_t first_key_of_hour(int64_t hour) {
  return first_key_at(hour * kMicrosPerHour);
}

void UsageSums::add(const SumsOf& of, const UsageSum& sum) {
  const int64_t hour = hour_of(of.key);
  const NameValue* const names[kNames] = {&of.provider, &of.model, &of.alias, &of.outcome};
  key_.clear();
  put(key_, hour);
  for (const NameValue* name : names) put(key_, *name);
  put(key_, of.caller);
  auto line = lines_.find(key_);
  if (line == lines_.end()) {
    line = lines_.emplace(key_, Line{}).first;
    line->second.hour = hour;
    line->second.caller = of.caller;
    for (size_t i = 0; i < kNames; ++i) {
      line->second.ids[i] = names[i]->id;
      line->second.texts[i] = names[i]->text;
    }
  }
  telemetry::add(line->second.sum, sum);
  key_.clear();
  put(key_, hour);
  key_ += of.user;
  auto user = users_.find(key_);
  if (user == users_.end()) {
    user = users_.emplace(key_, Line{}).first;
    user->second.hour = hour;
    user->second.user = of.user;
  }
  telemetry::add(user->second.sum, sum);
}

Result<void> UsageSums::prepare(const store::Database& database) {
  if (add_user_) return {};
  const std::string usage =
      "INSERT INTO usage_sum VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)" +
      std::string(kOnConflict);
  const std::string user =
      "INSERT INTO user_sum VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)" +
      std::string(kOnConflict);
  auto add_usage = database.prepare(usage);
  if (!add_usage) return std::move(add_usage).error();
  auto add_user = database.prepare(user);
  if (!add_user) return std::move(add_user).error();
  add_usage_ = *std::move(add_usage);
  add_user_ = *std::move(add_user);
  return {};
}

Result<void> UsageSums::write(const store::Database& database) {
  if (auto prepared = prepare(database); !prepared) return prepared;
  for (const auto& [key, line] : lines_) {
    if (auto written = write_line(*add_usage_, line); !written) return written;
  }
  for (const auto& [key, line] : users_) {
    if (auto written = write_user(*add_user_, line); !written) return written;
  }
  return {};
}

Result<void> UsageSums::write_line(store::Statement& to, const Line& line) {
  constexpr int kFirstName = 3;
  constexpr int kCaller = kFirstName + kNames;
  for (const int64_t span : kSpans) {
    to.bind(1, span);
    to.bind(2, start_of(line.hour, span));
    for (size_t i = 0; i < kNames; ++i) {
      const int column = kFirstName + static_cast<int>(i);
      const std::string_view text = line.texts[i];
      line.ids[i] == 0 && !text.empty() ? to.bind(column, text) : to.bind(column, line.ids[i]);
    }
    to.bind(kCaller, line.caller);
    bind_sum(to, kCaller + 1, line.sum);
    if (auto written = to.run(); !written) return written;
  }
  return {};
}

Result<void> UsageSums::write_user(store::Statement& to, const Line& line) {
  for (const int64_t span : kSpans) {
    to.bind(1, span);
    to.bind(2, start_of(line.hour, span));
    to.bind(3, std::string_view(line.user));
    bind_sum(to, 4, line.sum);
    if (auto written = to.run(); !written) return written;
  }
  return {};
}

void UsageSums::committed() {
  lines_.clear();
  users_.clear();
}

void UsageSums::rolled_back() {
  committed();
  add_usage_.reset();
  add_user_.reset();
}

Result<bool> sum_older_rows(store::Database& database, int64_t most_rows) {
  auto transaction = store::Transaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  auto before = read_mark(database, kSummedFrom);
  if (!before) return std::move(before).error();
  auto lowest = database.prepare(
      "SELECT ifnull(min(key), 0) FROM"
      " (SELECT key FROM exchange WHERE key < ?1 ORDER BY key DESC LIMIT ?2)");
  if (!lowest) return std::move(lowest).error();
  lowest->bind(1, *before);
  lowest->bind(2, most_rows);
  if (auto found = lowest->step(); !found) return std::move(found).error();
  const int64_t from = lowest->integer(0);
  lowest->reset();
  auto ok = id_of_ok(database);
  if (!ok) return std::move(ok).error();
  constexpr std::string_view kUsage =
      "ifnull(provider, 0), ifnull(model, 0), ifnull(alias, 0), outcome, ifnull(caller, 0)";
  constexpr std::string_view kUser = "ifnull(user, '')";
  for (const auto& [table, dimensions] :
       {std::pair{"usage_sum", kUsage}, std::pair{"user_sum", kUser}}) {
    for (const int64_t span : kSpans) {
      if (from == 0) continue;
      auto sum = database.prepare(sql_of_older(table, dimensions, span));
      if (!sum) return std::move(sum).error();
      sum->bind(1, *ok);
      sum->bind(2, from);
      sum->bind(3, *before);
      if (auto done = sum->run(); !done) return std::move(done).error();
    }
  }
  if (auto marked = set_mark(database, kSummedFrom, from); !marked)
    return std::move(marked).error();
  if (auto committed = transaction->commit(); !committed) return std::move(committed).error();
  return from != 0;
}

Result<int64_t> read_mark(const store::Database& database, std::string_view name) {
  auto mark = database.prepare("SELECT value FROM mark WHERE name = ?1");
  if (!mark) return std::move(mark).error();
  mark->bind(1, name);
  auto found = mark->step();
  if (!found) return std::move(found).error();
  return *found ? mark->integer(0) : 0;
}

Result<void> set_mark(const store::Database& database, std::string_view name, int64_t value) {
  auto mark = database.prepare("UPDATE mark SET value = ?2 WHERE name = ?1");
  if (!mark) return std::move(mark).error();
  mark->bind(1, name);
  mark->bind(2, value);
  return mark->run();
}

Result<int64_t> id_of_ok(const store::Database& database) {
  return database.integer("SELECT ifnull(max(id), 0) FROM name WHERE text = 'ok'");
}

}  // namespace sluice::telemetry
