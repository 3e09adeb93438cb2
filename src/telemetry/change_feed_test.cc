#include "telemetry/change_feed.h"

#include <gmock/gmock.h>

#include "telemetry/ledger_fixture.h"

namespace sluice::telemetry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChangeFeedTest : public LedgerTest {
 protected:
  // Stored at once.
  std::string finish(Record record) {
    record.usage = usage(10, 2);
    record.usage_source = chat::UsageSource::Reported;
    ledger_->finish(0, record);
    EXPECT_TRUE(journal_->drain());
    return record.request_id;
  }
  Record fresh() {
    clock_.now += kMillisecond;
    return record(&ledger_->target("openai", "gpt-5-mini", "tier2"));
  }
  store::Database writer() { return std::move(*store::Database::open(path())); }
  static std::vector<std::string> ids(const FeedBatch& batch) {
    std::vector<std::string> ids;
    for (const ExchangeRow& row : batch.rows) ids.push_back(row.cells[0].value_or("none"));
    return ids;
  }
  static std::string cell(const ExchangeRow& row, std::string_view name) {
    const auto columns = exchange_columns();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name == name) return row.cells[i].value_or("null");
    }
    return "no column";
  }
};

TEST_F(ChangeFeedTest, TheFirstExportFindsWhatWasThereAndThenWhatComesInTheOrderOfStoring) {
  const std::string first = finish(fresh());
  store::Database database = writer();
  EXPECT_EQ(*changes_waiting(database, 0, {}), 1) << "before there is a feed";
  auto cursor = ExportCursor::open(database, "there");
  ASSERT_TRUE(cursor) << cursor.error().message();
  const Record slow = fresh();
  const std::string quick = finish(fresh());
  auto feed = ChangeFeed::open(database, {});
  ASSERT_TRUE(feed) << feed.error().message();
  auto batch = feed->read(0, 100);
  ASSERT_TRUE(batch) << batch.error().message();
  EXPECT_THAT(ids(*batch), ElementsAre(first, quick));
  ASSERT_TRUE(cursor->finish(batch->end, 0));
  const std::string late = finish(slow);
  batch = feed->read(cursor->done(), 100);
  EXPECT_THAT(ids(*batch), ElementsAre(late)) << "its key is lower than that of the last";
  EXPECT_EQ(*changes_waiting(database, cursor->done(), {}), 1);
}

TEST_F(ChangeFeedTest, NothingIsWrittenDownWithoutAnExport) {
  finish(fresh());
  EXPECT_EQ(query("SELECT count(*) FROM changed"), 0);
}

TEST_F(ChangeFeedTest, ARowThatChangedComesAgainWithAHigherRevisionAndOnceInABatch) {
  store::Database database = writer();
  ASSERT_TRUE(ExportCursor::open(database, "there"));
  const std::string one = finish(fresh());
  const std::string two = finish(fresh());
  ASSERT_TRUE(
      database.exec("UPDATE exchange SET cost = 7 WHERE key = (SELECT min(key) FROM exchange)"));
  auto feed = ChangeFeed::open(database, {});
  auto batch = feed->read(0, 100);
  EXPECT_THAT(ids(*batch), ElementsAre(two, one));
  EXPECT_EQ(batch->rows[1].revision, 3);
  EXPECT_EQ(cell(batch->rows[1], "cost_usd"), "0.000000007");
  batch = feed->read(0, 1);
  EXPECT_THAT(ids(*batch), ElementsAre(one));
  EXPECT_EQ(batch->end, 1);
}

TEST_F(ChangeFeedTest, ABatchThatWasBegunIsKnownAfterARestart) {
  store::Database database = writer();
  std::string name;
  {
    auto cursor = ExportCursor::open(database, "there");
    finish(fresh());
    auto begun = cursor->begin(1);
    ASSERT_TRUE(begun) << begun.error().message();
    name = begun->request_id;
    EXPECT_EQ(name.size(), 36U) << name;
  }
  finish(fresh());
  auto cursor = ExportCursor::open(database, "there");
  ASSERT_TRUE(cursor->pending());
  EXPECT_EQ(cursor->pending()->request_id, name);
  auto feed = ChangeFeed::open(database, {});
  auto batch = feed->read(cursor->done(), 100, cursor->pending()->end);
  EXPECT_EQ(batch->rows.size(), 1U) << "the batch that was begun, and no more";
  ASSERT_TRUE(cursor->finish(1, 0));
  EXPECT_FALSE(ExportCursor::open(database, "there")->pending());
}

TEST_F(ChangeFeedTest, APeriodHoldsTheRequestsThatBeganInIt) {
  store::Database database = writer();
  ASSERT_TRUE(ExportCursor::open(database, "there"));
  const Record early = fresh();
  finish(early);
  const std::string later = finish(fresh());
  FeedWindow window;
  window.since = early.started_micros + 1000;
  auto feed = ChangeFeed::open(database, window);
  EXPECT_THAT(ids(*feed->read(0, 100)), ElementsAre(later));
  window = {};
  window.until = early.started_micros;
  feed = ChangeFeed::open(database, window);
  EXPECT_TRUE(feed->read(0, 100)->rows.empty());
}

TEST_F(ChangeFeedTest, WhatRetentionRemovedBeforeItWasReadIsCounted) {
  store::Database database = writer();
  auto cursor = ExportCursor::open(database, "there");
  for (int i = 0; i < 6; ++i) finish(fresh());
  // Rows go before what is said of them, and that in two pieces.
  ASSERT_TRUE(
      database.exec("DELETE FROM exchange WHERE key IN (SELECT key FROM changed WHERE seq "
                    "<= 4)"));
  ASSERT_TRUE(database.exec("DELETE FROM changed WHERE seq <= 3"));
  auto feed = ChangeFeed::open(database, {});
  auto batch = feed->read(1, 100);
  EXPECT_EQ(batch->rows.size(), 2U);
  EXPECT_EQ(batch->missed, 3) << "of the changes 2 to 4; the first was read before";
  EXPECT_EQ(feed->read(4, 100)->missed, 0);
  EXPECT_EQ(*changes_waiting(database, 1, {}), 2);
  ASSERT_TRUE(cursor->finish(batch->end, batch->missed));
  ASSERT_TRUE(cursor->finish(batch->end, 1));
  EXPECT_EQ(ExportCursor::open(database, "there")->missed(), 4) << "of all runs";
  EXPECT_EQ(ExportCursor::open(database, "new")->done(), 4) << "rows of before are no loss to it";
}

TEST_F(ChangeFeedTest, TheNumbersRiseAfterTheLastExportIsForgotten) {
  store::Database database = writer();
  ASSERT_TRUE(ExportCursor::open(database, "there"));
  const std::string one = finish(fresh());
  ASSERT_TRUE(database.exec("DELETE FROM export"));
  const std::string two = finish(fresh());
  auto cursor = ExportCursor::open(database, "there");
  auto batch = ChangeFeed::open(database, {})->read(cursor->done(), 100);
  EXPECT_THAT(ids(*batch), ElementsAre(one, two));
  EXPECT_GT(batch->rows[0].revision, 1) << "a table that holds the first takes this over it";
  EXPECT_EQ(batch->missed, 0);
}

TEST_F(ChangeFeedTest, CellsAreWhatADatabaseTakes) {
  store::Database database = writer();
  ASSERT_TRUE(ExportCursor::open(database, "there"));
  Record odd = fresh();
  odd.user = std::string("a\xff", 2) + std::string("\0z", 2);
  odd.attribution.metadata = R"({"a":"\u0000 \\u0000"})";
  odd.outcome = Outcome::UpstreamReset;
  odd.attempts = {
      {.target = "openai/gpt-5-mini",
       .outcome = Outcome::UpstreamReset,
       .status = 0,
       .duration_micros = 5,
       .spent =
           Spent{.source = chat::UsageSource::Estimated, .input = 3, .output = 1, .cost = 1500}}};
  finish(odd);
  auto feed = ChangeFeed::open(database, {});
  auto batch = feed->read(0, 1);
  ASSERT_EQ(batch->rows.size(), 1U);
  const ExchangeRow& row = batch->rows[0];
  EXPECT_EQ(cell(row, "end_user"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(cell(row, "metadata"), R"({"a":"\ufffd \\u0000"})");
  EXPECT_EQ(cell(row, "attempts"),
            R"([{"target":"openai/gpt-5-mini","outcome":"upstream_reset","status":0,)"
            R"("duration_us":5,"usage_source":"estimated","input":3,"output":1,)"
            R"("cost_usd":0.0000015}])");
  EXPECT_EQ(cell(row, "trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(cell(row, "provider"), "openai");
  EXPECT_EQ(cell(row, "team"), "null");
  std::string json;
  append_json_object(json, row);
  EXPECT_THAT(json, HasSubstr(R"("team":null,"virtual_key":null)"));
  EXPECT_THAT(json, HasSubstr(R"("stream":false,"plain_input":10)"));
}

}  // namespace
}  // namespace sluice::telemetry
