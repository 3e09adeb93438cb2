// Cuts the power of the disk under a ledger, again and again, and looks what is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <set>

#include "telemetry/ledger_fixture.h"
#include "telemetry/ledger_keeper.h"
#include "telemetry/ledger_verify.h"
#include "tests/support/power_cut_disk.h"

namespace sluice::telemetry {
namespace {

using ::testing::IsEmpty;

constexpr int kCuts = 200;
// Operations of the disk until the power goes: from within opening to some flushes later.
constexpr unsigned kMostOperations = 400;
constexpr int kCutsOfOneLedger = 40;

class LedgerPowerTest : public LedgerTest {
 protected:
  void SetUp() override {
    // Under --gtest_repeat with --gtest_shuffle every run draws other cuts.
    random_.seed(static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()) + 1);
    disk_.emplace(random_());
    last_attempts_ = 0;
    LedgerTest::SetUp();
  }
  void TearDown() override {
    lose();
    disk_->restart();
    LedgerTest::TearDown();
    disk_.reset();
  }
  // The program is gone, with what it had in memory.
  void lose() {
    ledger_.reset();
    journal_.reset();
    log_.reset();
    access_.reset();
    lines_.reset();
  }
  // An empty disk.
  void begin_again() {
    lose();
    disk_.emplace(random_());
    kept_.clear();
    start();
  }
  // False: the power went before the program was up.
  bool try_start() {
    auto database = store::open_store(path(), store::ledger_schema(), open_options_);
    if (!database) {
      EXPECT_TRUE(disk_->is_cut()) << database.error().message();
      return false;
    }
    start(std::move(*database));
    return !disk_->is_cut();
  }
  // Requests until the power goes.
  void work_until_cut() {
    LedgerKeeper keeper(clock_, *log_,
                        {.retention_days = 2, .least_spend_days = 2, .rows_per_piece = 20});
    while (!disk_->is_cut()) {
      std::vector<uint64_t> batch;
      for (unsigned i = random_() % 20; i > 0; --i) {
        clock_.now += 600 * kSecond;
        Record r = record(&ledger_->target("openai", "gpt-5-mini", ""));
        r.caller = {.organisation = "acme", .key = random_() % 2 == 0 ? "k1" : "k2"};
        r.attribution.workflow = "nightly";
        r.usage = usage(1000, 10);
        r.usage_source = chat::UsageSource::Reported;
        batch.push_back(r.key);
        ledger_->finish(0, r);
      }
      if (journal_->drain()) kept_.insert(batch.begin(), batch.end());
      auto other = store::Database::open(path(), open_options_);
      if (!other) continue;
      if (random_() % 3 == 0) (void)keeper.step(*other);
      if (random_() % 4 == 0) (void)other->checkpoint();
    }
  }
  void look() {
    const auto report = verify_ledger(reader());
    ASSERT_TRUE(report);
    ASSERT_THAT(report->problems, IsEmpty());
    const auto kept_from =
        static_cast<uint64_t>(query("SELECT value FROM mark WHERE name = 'kept_from'"));
    std::set<uint64_t> there;
    const store::Database database = reader();
    auto rows = database.prepare("SELECT key FROM exchange");
    while (*rows->step()) there.insert(static_cast<uint64_t>(rows->integer(0)));
    for (auto key = kept_.lower_bound(kept_from); key != kept_.end(); ++key)
      ASSERT_TRUE(there.contains(*key)) << "a stored row is lost";
  }

  std::mt19937 random_;
  std::optional<test::PowerCutDisk> disk_;
  std::set<uint64_t> kept_;  // keys of rows that were said to be stored
};

TEST_F(LedgerPowerTest, P2_NoStoredRowIsLostToAPowerCutAndAllSumsStayRight) {
  size_t stored = 0;
  for (int cut = 1; cut <= kCuts; ++cut) {
    disk_->cut_after(1 + random_() % kMostOperations);
    if (journal_ || try_start()) work_until_cut();
    lose();
    disk_->restart();
    ASSERT_TRUE(try_start()) << "cut " << cut;
    look();
    if (HasFatalFailure()) FAIL() << "cut " << cut;
    stored = std::max(stored, kept_.size());
    if (random_() % 2 == 0) lose();  // the next cut may come while it starts
    if (cut % kCutsOfOneLedger == 0) begin_again();
  }
  EXPECT_GT(stored, 100U);
}

TEST_F(LedgerPowerTest, P2_TheDiskLosesWhatWasNotSynced) {
  lose();
  begin_again();
  {
    auto careless = store::Database::open(path());
    ASSERT_TRUE(careless->exec("PRAGMA synchronous=OFF"));
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(careless->exec("INSERT INTO name(text) VALUES (hex(randomblob(2000)))"));
    lose();
    disk_->cut_after(1);
    EXPECT_FALSE(careless->exec("INSERT INTO name(text) VALUES ('x')"));
  }
  disk_->restart();
  EXPECT_GT(disk_->lost_writes(), 0);
  ASSERT_TRUE(try_start());
  EXPECT_LT(query("SELECT count(*) FROM name"), 50)
      << "the log ends where a piece of it is missing";
}

}  // namespace
}  // namespace sluice::telemetry
