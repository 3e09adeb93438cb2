#include "app/exports/export_run.h"

#include <gmock/gmock.h>
#include <map>

#include "telemetry/ledger_fixture.h"

namespace sluice::app {
namespace {

using ::testing::SizeIs;

// A table that can be killed: before a batch is written, or after it.
class FakeTable final : public Destination {
 public:
  const std::string& name() const override { return name_; }
  bool keeps_window() const override { return false; }
  Result<int64_t> prepare(const ExportStart& start) override { return start.done; }
  Result<void> write(const ExportBatch& batch) override {
    if (--writes_left_ == 0 && dies_before_) return Error(Outcome::ConnectError, "killed");
    names.emplace_back(batch.request_id, batch.again);
    for (const telemetry::ExchangeRow& row : batch.rows) rows[*row.cells[0]] = row.revision;
    if (writes_left_ == 0) return Error(Outcome::ConnectError, "killed");
    return {};
  }
  void die_at(int write, bool before) {
    writes_left_ = write;
    dies_before_ = before;
  }

  std::map<std::string, int64_t> rows;  // request id: revision
  std::vector<std::pair<std::string, bool>> names;

 private:
  std::string name_ = "there";
  int writes_left_ = 0;
  bool dies_before_ = false;
};

class ExportRunTest : public telemetry::LedgerTest {
 protected:
  void finish(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.now += kMillisecond;
      ledger_->finish(0, record(nullptr));
    }
    ASSERT_TRUE(journal_->drain());
  }
  store::Database writer() { return std::move(*store::Database::open(path())); }
  Result<void> run(FakeTable& table, telemetry::FeedWindow window = {}) {
    store::Database ledger = writer();
    summary_ = {};
    shown_.clear();
    return run_export(
        ledger, table, {.window = window, .batch = 10},
        [this](double done) { shown_.push_back(done); }, summary_);
  }

  ExportSummary summary_;
  std::vector<double> shown_;
};

TEST_F(ExportRunTest, GoesBatchByBatchAndShowsHowFarItIs) {
  finish(25);
  FakeTable table;
  ASSERT_TRUE(run(table));
  EXPECT_THAT(table.rows, SizeIs(25));
  EXPECT_EQ(summary_.rows, 25);
  EXPECT_THAT(shown_, ::testing::ElementsAre(0.4, 0.8, 1));
  ASSERT_TRUE(run(table));
  EXPECT_EQ(summary_.rows, 0);
}

TEST_F(ExportRunTest, AKillAtAnyBatchLosesNothingAndTheBatchKeepsItsName) {
  for (const bool before : {true, false}) {
    for (int at = 1; at <= 3; ++at) {
      finish(25);
      FakeTable table;
      ASSERT_TRUE(writer().exec("DELETE FROM export"));
      table.die_at(at, before);
      ASSERT_FALSE(run(table));
      finish(5);  // the batch stays what it was
      ASSERT_TRUE(run(table));
      EXPECT_EQ(static_cast<int64_t>(table.rows.size()), query("SELECT count(*) FROM exchange"));
      if (before) continue;
      const auto killed = static_cast<size_t>(at) - 1;
      EXPECT_EQ(table.names[killed].first, table.names[killed + 1].first);
      EXPECT_TRUE(table.names[killed + 1].second);
    }
  }
}

TEST_F(ExportRunTest, APeriodIsSentWholeAndMovesNothing) {
  finish(25);
  FakeTable table;
  telemetry::FeedWindow window;
  window.since = 0;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(run(table, window));
    EXPECT_EQ(summary_.rows, 25);
  }
  ASSERT_TRUE(run(table));
  EXPECT_EQ(summary_.rows, 25);
}

TEST_F(ExportRunTest, SaysWhatRetentionRemovedBefore) {
  finish(25);
  FakeTable table;
  ASSERT_TRUE(run(table));
  finish(35);
  store::Database ledger = writer();
  ASSERT_TRUE(
      ledger.exec("DELETE FROM exchange WHERE key IN (SELECT key FROM changed WHERE seq "
                  "<= 55)"));
  ASSERT_TRUE(ledger.exec("DELETE FROM changed WHERE seq <= 31"));
  ASSERT_TRUE(run(table));
  EXPECT_EQ(summary_.rows, 5) << "batches that are empty do not end it";
  EXPECT_EQ(summary_.missed, 30);
  ASSERT_TRUE(run(table));
  EXPECT_EQ(summary_.missed, 0) << "said once";
  EXPECT_EQ(summary_.missed_ever, 30) << "and remembered";
}

}  // namespace
}  // namespace sluice::app
