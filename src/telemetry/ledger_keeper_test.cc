#include "telemetry/ledger_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "telemetry/change_feed.h"
#include "telemetry/ledger_fixture.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

constexpr int64_t kMicrosPerDay = 86'400'000'000;

class LedgerKeeperTest : public LedgerTest {
 protected:
  // So many requests of one day, each of a caller with a purpose.
  void finish_day(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.now += 86'400 * kSecond / count;
      Record r = record(&ledger_->target("openai", "gpt-5-mini", "tier2"));
      r.user = "user " + std::to_string(i % 3);
      r.caller = {.organisation = "acme", .team = "a", .key = "k" + std::to_string(i % 2)};
      r.counts_user = true;
      r.attribution.workflow = "nightly";
      r.usage = usage(1000, 10);
      r.usage_source = UsageSource::Reported;
      ledger_->finish(0, r);
    }
    ASSERT_TRUE(journal_->drain());
  }
  // Everything there is to do; how many pieces it took.
  int keep(LedgerKeeper& keeper) {
    auto database = store::Database::open(path());
    int pieces = 0;
    for (auto more = keeper.step(*database); more && *more; more = keeper.step(*database)) {
      ++pieces;
      EXPECT_THAT(verify_ledger(*database)->problems, IsEmpty()) << "after piece " << pieces;
    }
    return pieces;
  }
  LedgerKeeper keeper(KeeperOptions options) { return {clock_, *log_, options}; }
  std::vector<std::string> problems() { return verify_ledger(reader())->problems; }
  int64_t today() { return clock_.wall_micros() / kMicrosPerDay; }
};

TEST_F(LedgerKeeperTest, KeepsForEverUnlessTold) {
  finish_day(50);
  clock_.now += 100LL * 365 * 86'400 * kSecond;
  LedgerKeeper keeper = this->keeper({});
  keep(keeper);
  EXPECT_EQ(query("SELECT count(*) FROM exchange"), 50);
}

TEST_F(LedgerKeeperTest, DB_2_RemovesWholeDaysInBoundedPieces) {
  for (int day = 0; day < 6; ++day) finish_day(300);
  const auto counters = metric("llm_requests_total");
  LedgerKeeper keeper =
      this->keeper({.retention_days = 2, .least_spend_days = 2, .rows_per_piece = 100});
  EXPECT_GE(keep(keeper), 12) << "never more than a hundred rows at once";
  const std::string first = std::to_string((today() - 2) * 24);
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE key >> 21 < " + first + " * 3600000"), 0);
  EXPECT_EQ(query("SELECT count(*) FROM usage_sum WHERE start < " + first), 0);
  EXPECT_EQ(query("SELECT count(*) FROM user_sum WHERE start < " + first), 0);
  EXPECT_EQ(query("SELECT count(*) FROM spend WHERE quarter >= 0 AND quarter < 4 * " + first), 0);
  const int64_t left = query("SELECT count(*) FROM exchange");
  EXPECT_GE(left, 600);
  EXPECT_LT(left, 900);
  EXPECT_EQ(query("SELECT count(*) FROM attribution"), left);
  EXPECT_EQ(keeper.removed_lines(0), 1800 - left);
  EXPECT_GT(keeper.removed_lines(2), 0);
  EXPECT_EQ(query("SELECT requests FROM removed"), 1800 - left);
  EXPECT_EQ(keep(keeper), 0) << "until the next day there is nothing more to do";
  EXPECT_EQ(usage_report(reader(), {.by = UsageGroup::Model})->total.requests, left);
  // Counters never run backwards, and a budget without a period forgets nothing.
  stop();
  start();
  EXPECT_EQ(metric("llm_requests_total"), counters);
  const auto spent = read_spend(reader(), 0);
  ASSERT_TRUE(spent);
  for (const SpendSums& sums : *spent) {
    NanoDollars kept = 0;
    for (const auto& [quarter, charged] : sums.quarters) kept += charged;
    EXPECT_LT(kept, sums.total) << sums.subject;
    if (sums.subject == "organisation:acme") EXPECT_EQ(sums.total, 1800 * 270'000LL);
  }
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LedgerKeeperTest, DB_2_EveryTableThatGrowsWithTrafficIsCovered) {
  std::set<std::string> tables;
  const store::Database database = reader();
  auto rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'");
  while (*rows->step()) tables.emplace(rows->text(0));
  std::set<std::string> known(std::begin(kRemovedFrom), std::end(kRemovedFrom));
  for (const char* bounded : {
           "name",         // at most LedgerSink's max_names
           "caller",       // grows with keys
           "usage_total",  // grows with targets
           "repriced",     // a line for each run of a person
           "mark",
           "export",  // a line for each destination
           "removed",
       }) {
    known.insert(bounded);
  }
  EXPECT_THAT(tables, UnorderedElementsAreArray(known))
      << "a table that grows with traffic needs a place in LedgerKeeper";
}

TEST_F(LedgerKeeperTest, DB_2_WhatExportsAreToldOfARowGoesWithTheRow) {
  {
    auto database = store::Database::open(path());
    ASSERT_TRUE(ExportCursor::open(*database, "there"));
  }
  for (int day = 0; day < 5; ++day) finish_day(100);
  {
    auto database = store::Database::open(path());
    ASSERT_TRUE(
        database->exec("UPDATE exchange SET error = NULL WHERE key < (SELECT max(key) FROM "
                       "exchange)"));
  }
  LedgerKeeper keeper = this->keeper({.retention_days = 2, .rows_per_piece = 50});
  keep(keeper);
  const int64_t left = query("SELECT count(*) FROM exchange");
  EXPECT_GT(keeper.removed_lines(5), 200);
  EXPECT_EQ(query("SELECT count(*) FROM changed WHERE seq <= 500"), left);
  EXPECT_EQ(query("SELECT count(*) FROM changed"), left + 499)
      << "what was repriced waits for the rows before it";
  clock_.now += 10 * 86'400 * kSecond;
  keep(keeper);
  EXPECT_EQ(query("SELECT count(*) FROM exchange"), 0);
  EXPECT_EQ(query("SELECT count(*) FROM changed"), 1) << "the last one, for the next one's number";
  EXPECT_EQ(query("SELECT max(seq) FROM changed"), 999);
}

TEST_F(LedgerKeeperTest, WhatARunningPeriodSpentOutlivesItsRows) {
  for (int day = 0; day < 5; ++day) finish_day(20);
  LedgerKeeper keeper = this->keeper({.retention_days = 1});
  keep(keeper);
  EXPECT_LT(query("SELECT count(*) FROM exchange"), 50);
  EXPECT_EQ(query("SELECT sum(requests) FROM spend WHERE subject = 'key:k0' AND quarter >= 0"), 50);
  EXPECT_EQ(query("SELECT count(*) FROM spend WHERE quarter = -2"), 0);
}

TEST_F(LedgerKeeperTest, GoesOnWhereAnotherWasStopped) {
  for (int day = 0; day < 5; ++day) finish_day(100);
  const KeeperOptions options{.retention_days = 1, .least_spend_days = 1, .rows_per_piece = 30};
  for (int stopped_after = 1; stopped_after < 20; ++stopped_after) {
    LedgerKeeper keeper = this->keeper(options);
    auto database = store::Database::open(path());
    for (int i = 0; i < stopped_after; ++i) ASSERT_TRUE(keeper.step(*database));
    EXPECT_THAT(problems(), IsEmpty());
  }
  LedgerKeeper keeper = this->keeper(options);
  keep(keeper);
  EXPECT_LE(query("SELECT count(*) FROM exchange"), 200);
  EXPECT_EQ(query("SELECT count(DISTINCT start) FROM usage_sum WHERE span = 24"), 2);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LedgerKeeperTest, RowsThatComeWhileOthersGoAreKept) {
  for (int day = 0; day < 4; ++day) finish_day(100);
  LedgerKeeper keeper =
      this->keeper({.retention_days = 1, .least_spend_days = 1, .rows_per_piece = 20});
  auto database = store::Database::open(path());
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(keeper.step(*database));
    finish_day(10);
    EXPECT_THAT(problems(), IsEmpty());
  }
  keep(keeper);
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(LedgerKeeperTest, AClockThatIsSetBackRemovesNothing) {
  for (int day = 0; day < 4; ++day) finish_day(50);
  LedgerKeeper keeper = this->keeper({.retention_days = 2});
  keep(keeper);
  const int64_t left = query("SELECT count(*) FROM exchange");
  clock_.now -= 3 * 86'400 * kSecond;
  EXPECT_EQ(keep(keeper), 0);
  EXPECT_EQ(query("SELECT count(*) FROM exchange"), left);
}

TEST_F(LedgerKeeperTest, DB_2_GivesTheSpaceBack) {
  for (int i = 0; i < 20'000; ++i) {
    Record r = record(nullptr);
    r.error = std::string(400, 'x');
    ledger_->finish(0, r);
    if (i % 1000 == 0) ASSERT_TRUE(journal_->drain());
  }
  ASSERT_TRUE(journal_->drain());
  clock_.now += 5 * 86'400 * kSecond;
  const int64_t before = query("PRAGMA page_count");
  ASSERT_GT(before, 1000);
  LedgerKeeper keeper = this->keeper({.retention_days = 1, .rows_per_piece = 5'000});
  auto database = store::Database::open(path());
  for (auto more = keeper.step(*database); more && *more; more = keeper.step(*database)) continue;
  const int64_t after = query("PRAGMA page_count");
  EXPECT_LT(after, before / 3);
  EXPECT_EQ(keeper.freed_bytes(), (before - after) * query("PRAGMA page_size"));
  EXPECT_THAT(problems(), IsEmpty());
}

}  // namespace
}  // namespace sluice::telemetry
