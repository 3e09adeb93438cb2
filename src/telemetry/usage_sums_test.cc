// The sums of reports against the rows they are of.
#include "telemetry/usage_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "telemetry/ledger_fixture.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/reprice.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr UsageGroup kGroups[] = {UsageGroup::Model, UsageGroup::Provider, UsageGroup::Alias,
                                  UsageGroup::User,  UsageGroup::Day,      UsageGroup::Outcome,
                                  UsageGroup::Key,   UsageGroup::Team};

std::string text_of(const UsageReport& report) {
  std::string out;
  for (const UsageLine& line : report.lines) {
    out += line.name;
    for (const int64_t value :
         {line.requests, line.failed, line.unpriced, line.estimated, line.tokens.input,
          line.tokens.cached, line.tokens.output, line.tokens.reasoning, line.cost, line.credits}) {
      out += ' ' + std::to_string(value);
    }
    out += '\n';
  }
  return out;
}

class UsageSumsTest : public LedgerTest {
 protected:
  // Requests of five days, some of them failed, unpriced or estimated.
  void finish_many(int count) {
    std::mt19937 random(7);
    const auto one_of = [&random](std::vector<std::string> from) {
      return from[random() % from.size()];
    };
    for (int i = 0; i < count; ++i) {
      clock_.now +=
          static_cast<Nanos>(random() % (2 * 5 * 86'400 / static_cast<unsigned>(count))) * kSecond;
      Record r = record(&ledger_->target("openai", one_of({"gpt-5-mini", "gpt-5-nano", "*"}),
                                         one_of({"tier1", ""})));
      if (r.model == "other") r.model = one_of({"gpt-4.1", "gpt-4o", "of nobody"});
      r.user = one_of({"ann", "bob", ""});
      if (random() % 3 > 0)
        r.caller = {.organisation = "acme", .team = one_of({"a", ""}), .key = one_of({"k1", "k2"})};
      if (random() % 9 == 0) r.outcome = Outcome::UpstreamError;
      r.usage = usage(static_cast<int64_t>(random() % 1000), static_cast<int64_t>(random() % 100));
      r.usage_source = random() % 5 == 0 ? UsageSource::Estimated : UsageSource::Reported;
      ledger_->finish(0, r);
    }
    ASSERT_TRUE(journal_->drain());
  }
  std::string report(const UsageQuery& query) {
    auto made = usage_report(reader(), query);
    EXPECT_TRUE(made) << made.error().message();
    return made ? text_of(*made) : "";
  }
  void mark(int64_t summed_from) {
    auto database = store::Database::open(path());
    ASSERT_TRUE(set_mark(*database, kSummedFrom, summed_from));
  }
  std::vector<std::string> problems() { return verify_ledger(reader())->problems; }
};

TEST_F(UsageSumsTest, ReportsFromSumsSayWhatTheRowsSay) {
  const int64_t first = clock_.wall_micros();
  finish_many(3'000);
  std::mt19937 random(3);
  std::vector<UsageQuery> queries;
  for (const UsageGroup group : kGroups) {
    queries.push_back({.by = group});
    for (int i = 0; i < 8; ++i) {
      const auto since = static_cast<int64_t>(random() % 120) * kMicrosPerHour;
      const auto until = since + static_cast<int64_t>(random() % 300) * kMicrosPerHour / 2;
      const int64_t cut = random() % 2 == 0 ? 0 : 1'234'567'000;
      queries.push_back({.by = group,
                         .since_micros = first + since - cut,
                         .until_micros = i == 0 ? std::nullopt : std::optional(first + until)});
    }
  }
  std::vector<std::string> of_sums;
  for (const UsageQuery& query : queries) of_sums.push_back(report(query));
  mark(std::numeric_limits<int64_t>::max());  // nothing is summed: every row is read
  for (size_t i = 0; i < queries.size(); ++i) EXPECT_EQ(of_sums[i], report(queries[i])) << i;
  mark(query("SELECT key FROM exchange ORDER BY key LIMIT 1 OFFSET 1700"));  // half of it is
  for (size_t i = 0; i < queries.size(); ++i) EXPECT_EQ(of_sums[i], report(queries[i])) << i;
  mark(0);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(UsageSumsTest, DB_1_AMonthIsReadFromSumsAndARestOfLessThanTwoHours) {
  const int64_t first = clock_.wall_micros();
  finish_many(2'000);
  const UsageQuery month{.since_micros = first + 1'000'000, .until_micros = clock_.wall_micros()};
  const std::string before = report(month);
  auto database = store::Database::open(path());
  auto gone = database->prepare("DELETE FROM exchange WHERE key >= ?1 AND key < ?2");
  gone->bind(1, static_cast<int64_t>(first_key_at(first + kMicrosPerHour)));
  gone->bind(2, static_cast<int64_t>(first_key_at(clock_.wall_micros() - kMicrosPerHour)));
  ASSERT_TRUE(gone->run());
  ASSERT_LT(query("SELECT count(*) FROM exchange"), 100);
  EXPECT_EQ(report(month), before);
}

TEST_F(UsageSumsTest, RowsThatComeTwiceAreSummedOnce) {
  Record r = record(&ledger_->target("openai", "gpt-5-mini", ""));
  for (int i = 0; i < 3; ++i) {
    ledger_->finish(0, r);
    ASSERT_TRUE(journal_->drain());
  }
  EXPECT_EQ(query("SELECT sum(requests) FROM usage_sum WHERE span = 1"), 1);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(UsageSumsTest, ModelsBeyondTheTableOfNamesAreSummedByTheirText) {
  stop();
  start(64 << 20, 8);
  finish_many(500);
  EXPECT_GT(query("SELECT count(*) FROM usage_sum WHERE typeof(model) = 'text'"), 0);
  EXPECT_THAT(problems(), IsEmpty());
  const std::string of_sums = report({.by = UsageGroup::Model});
  EXPECT_THAT(of_sums, HasSubstr("gpt-4o"));
  mark(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(report({.by = UsageGroup::Model}), of_sums);
}

TEST_F(UsageSumsTest, PRICE_5_RepricingKeepsTheSumsRightAlsoOfRowsNotSummedYet) {
  const int64_t first = clock_.wall_micros();
  finish_many(2'000);
  PriceTable table = PriceTable::built_in();
  Price price;
  price.version = "new";
  price.base.input = 1'000'000'000;
  price.base.output = 7;
  for (const char* model : {"gpt-5-mini", "of nobody"}) table.set("openai", model, price);
  auto database = store::Database::open(path());
  // The older half as if an earlier version had written it.
  ASSERT_TRUE(database->exec("DELETE FROM usage_sum; DELETE FROM user_sum"));
  mark(query("SELECT max(key) + 1 FROM exchange"));
  ASSERT_TRUE(*sum_older_rows(*database, 1'000));
  const std::string before = report({.by = UsageGroup::Model});
  auto done = reprice(*database, table,
                      {.from_micros = first, .to_micros = clock_.wall_micros() + 1'000'000},
                      {.name = "ann", .at_micros = 7}, [](double) {});
  ASSERT_TRUE(done) << done.error().message();
  ASSERT_GT(done->total.changed, 500);
  EXPECT_THAT(problems(), IsEmpty());
  const std::string after = report({.by = UsageGroup::Model});
  EXPECT_NE(after, before);
  while (*sum_older_rows(*database, 1'000)) continue;
  EXPECT_EQ(report({.by = UsageGroup::Model}), after);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(UsageSumsTest, VerifyFindsASumThatDiffers) {
  finish_many(200);
  auto database = store::Database::open(path());
  for (const auto& [change, back, finding] : {
           std::tuple{"UPDATE usage_sum SET cost = cost + 1 WHERE span = 1 AND requests = 1",
                      "UPDATE usage_sum SET cost = cost - 1 WHERE span = 1 AND requests = 1",
                      "usage_sum differ from the rows"},
           std::tuple{"UPDATE usage_sum SET input = input + 1 WHERE span = 24",
                      "UPDATE usage_sum SET input = input - 1 WHERE span = 24",
                      "usage_sum differ from the hours"},
           std::tuple{"UPDATE user_sum SET requests = requests + 1 WHERE user = 'ann'",
                      "UPDATE user_sum SET requests = requests - 1 WHERE user = 'ann'",
                      "user_sum differ from the rows"},
           std::tuple{"UPDATE spend SET charged = charged + 1 WHERE subject = 'key:k1'",
                      "UPDATE spend SET charged = charged - 1 WHERE subject = 'key:k1'",
                      "what each key spent differ from the rows"},
           std::tuple{
               "UPDATE spend SET requests = requests + 1 WHERE subject = 'team:a' AND quarter >= 0",
               "UPDATE spend SET requests = requests - 1 WHERE subject = 'team:a' AND quarter >= 0",
               "what each team spent differ from the rows"},
           std::tuple{"UPDATE spend SET charged = charged + 1 WHERE quarter = -1",
                      "UPDATE spend SET charged = charged - 1 WHERE quarter = -1",
                      "all that was spent differ from their quarters"},
       }) {
    ASSERT_TRUE(database->exec(change));
    EXPECT_THAT(problems(), Contains(HasSubstr(finding)));
    ASSERT_TRUE(database->exec(back));
    ASSERT_THAT(problems(), IsEmpty());
  }
}

// What each earlier version wrote.
constexpr char kRowsOfAnEarlierVersion[] = R"sql(
INSERT INTO name VALUES (1, 'ok'), (2, 'error'), (3, 'openai'), (4, 'gpt-5-mini'), (5, 'chat');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
INSERT INTO exchange(key, request_tail, started_micros, endpoint, provider, model, user, outcome,
  result, status, stream, plain_input, cache_read, cache_write, cache_write_1h, audio_input,
  visible_output, reasoning, audio_output, usage_source, cost, cost_source, price_notes, duration,
  upstream, overhead, bytes_in, bytes_out, events, slim)
SELECT (1795424461000 + i * 60000) << 21, i, (1795424461000 + i * 60000) * 1000, 5, 3,
  iif(i % 7 = 0, 'of a wildcard', 4), iif(i % 3 = 0, NULL, 'user ' || (i % 5)), 1 + (i % 11 = 0), 1,
  200, 0, i, 1, 0, 0, 0, 2, 3, 0, 1 + i % 2, iif(i % 13 = 0, NULL, 5 * i), iif(i % 13 = 0, 3, 1), 0,
  9, 8, 7, 1, 1, 0, 0 FROM n;
INSERT INTO usage_total SELECT 'openai', 'gpt-5-mini', '', 0, 0, count(*), sum(cost IS NULL),
  sum(plain_input), sum(cache_read), sum(visible_output), sum(reasoning), sum(cost) FROM exchange;
)sql";

// As a file is that an earlier version made, and a later one had no time to sum.
constexpr size_t kFirstWithSums = 6;
constexpr char kNotSummedYet[] =
    "UPDATE mark SET value = (SELECT max(key) + 1 FROM exchange) WHERE name = 'summed_from'";

TEST_F(UsageSumsTest, P17_TheLedgerOfEveryEarlierVersionIsSummedInPieces) {
  stop();
  for (size_t version = 1; version < store::migrations().size(); ++version) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    {
      auto earlier = store::Database::open(path());
      ASSERT_TRUE(store::migrate(*earlier, store::migrations().first(version)));
      ASSERT_TRUE(earlier->exec(kRowsOfAnEarlierVersion));
      if (version >= kFirstWithSums) ASSERT_TRUE(earlier->exec(kNotSummedYet));
    }
    start();
    EXPECT_EQ(query("SELECT count(*) FROM usage_sum"), 0) << "a start does not wait for sums";
    const std::string days = report({.by = UsageGroup::Day});
    const std::string users = report({.by = UsageGroup::User});
    finish_many(50);  // while older rows are still to be summed
    auto database = store::Database::open(path());
    int pieces = 1;
    for (; *sum_older_rows(*database, 1'500); ++pieces) EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(pieces, 8);
    EXPECT_EQ(query("SELECT value FROM mark WHERE name = 'summed_from'"), 0);
    EXPECT_EQ(query("SELECT sum(requests) FROM usage_sum WHERE span = 24"), 10'050);
    EXPECT_THAT(problems(), IsEmpty()) << "version " << version;
    const UsageQuery old{.by = UsageGroup::Day,
                         .until_micros = 1'795'424'461'001'000 + 999'000'000};
    EXPECT_THAT(days, HasSubstr("2026-11-30 "));
    EXPECT_THAT(users, HasSubstr("user 4 "));
    EXPECT_THAT(report(old), HasSubstr("2026-11-23 "));
    stop();
  }
  start();
}

}  // namespace
}  // namespace sluice::telemetry
