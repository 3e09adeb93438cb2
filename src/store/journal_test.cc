#include "store/journal.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/schema.h"

namespace sluice::store {
namespace {

using ::testing::HasSubstr;

class ManualClock final : public Clock {
 public:
  Nanos monotonic() const override { return now; }
  int64_t wall_micros() const override { return now / 1000; }
  Nanos now = kSecond;
};

// A row is a key and the room it was told of.
class NumberSink final : public JournalSink {
 public:
  Result<void> write(Database& database, std::span<const std::string_view> rows) override {
    auto insert = database.prepare("INSERT OR IGNORE INTO name(id, text) VALUES(?1, ?2)");
    if (!insert) return std::move(insert).error();
    for (const std::string_view row : rows) {
      insert->bind(1, std::stoll(std::string(row.substr(0, 10))));
      insert->bind(2, row);
      if (auto done = insert->run(); !done) return done;
    }
    return {};
  }
  void committed() override { ++commits; }
  void rolled_back() override { ++rollbacks; }
  int commits = 0;
  int rollbacks = 0;
};

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "journal_test_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/test.db"; }
  Database open(int busy_millis = 1) {
    auto database = Database::open(path(), {.mode = OpenMode::Create, .busy_millis = busy_millis});
    EXPECT_TRUE(database) << database.error().message();
    auto migrated = migrate(*database);
    EXPECT_TRUE(migrated) << migrated.error().message();
    return std::move(*database);
  }
  // Appends `count` rows of about `size` bytes; returns how many were taken.
  int append(Journal& journal, int count, size_t size = 20) {
    int taken = 0;
    for (int i = 0; i < count; ++i) {
      std::string row = std::to_string(++next_);
      row.insert(0, 10 - row.size(), '0');
      row.resize(std::max<size_t>(size, 10), 'x');
      taken += journal.append(0, row.size(), [&](char* out, Room) {
        std::copy(row.begin(), row.end(), out);
        return row.size();
      });
    }
    return taken;
  }
  int64_t stored() { return *open().integer("SELECT count(*) FROM name"); }

  std::string folder_;
  int64_t next_ = 0;
  ManualClock clock_;
  std::unique_ptr<LineSink> lines_ = std::move(*LineSink::to_file("/dev/null", {}));
  Logger log_{*lines_, clock_, LogStyle::Json, Level::Error};
  NumberSink sink_;
};

TEST_F(JournalTest, StoresRowsInBatches) {
  Journal journal(open(), sink_, clock_, log_, {});
  EXPECT_EQ(append(journal, 10'000), 10'000);
  EXPECT_GT(journal.queued_bytes(), 200'000U);
  ASSERT_TRUE(journal.drain());
  EXPECT_EQ(stored(), 10'000);
  EXPECT_EQ(journal.stored_rows(), 10'000U);
  EXPECT_EQ(journal.queued_bytes(), 0U);
  EXPECT_LT(sink_.commits, 10);
}

TEST_F(JournalTest, StoresWhatIsLeftWhenItEnds) {
  {
    Journal journal(open(), sink_, clock_, log_, {.flush_window_millis = 3'600'000});
    journal.start();
    append(journal, 100);
  }
  EXPECT_EQ(stored(), 100);
}

TEST_F(JournalTest, FlushWaitsForWhatWasAppendedBefore) {
  Journal journal(open(), sink_, clock_, log_, {.flush_window_millis = 3'600'000});
  journal.start();
  for (int i = 1; i <= 20; ++i) {
    append(journal, 1);
    ASSERT_TRUE(journal.flush());
    EXPECT_EQ(stored(), i);
  }
}

TEST_F(JournalTest, DB_5_LockedDatabaseKeepsRowsTurnsUnhealthyAndRecovers) {
  Journal journal(open(), sink_, clock_, log_, {});
  Database other = open();
  auto lock = Transaction::begin(other);
  ASSERT_TRUE(lock);
  append(journal, 100);
  auto failed = journal.drain();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message(), HasSubstr("locked by another process"));
  EXPECT_TRUE(journal.healthy()) << "a short lock is nobody's business";
  clock_.now += 3 * kSecond;
  EXPECT_FALSE(journal.healthy());
  EXPECT_GE(journal.lag(), 3 * kSecond);
  EXPECT_EQ(append(journal, 100), 100) << "requests are still served";
  ASSERT_TRUE(lock->commit());
  ASSERT_TRUE(journal.drain());
  EXPECT_TRUE(journal.healthy());
  EXPECT_EQ(journal.lag(), 0);
  EXPECT_EQ(stored(), 200);
  EXPECT_EQ(journal.dropped_rows(), 0U);
}

// A disk that is full, as far as this process can tell: no file may grow past the limit.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ignored_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit tight{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, ignored_);
  }

 private:
  rlimit before_{};
  sighandler_t ignored_;
};

TEST_F(JournalTest, DB_5_FullDiskTurnsRedBeforeAnythingIsDroppedAndHealsAlone) {
  Journal journal(open(), sink_, clock_, log_, {.cap_bytes = 1 << 20});
  bool red_before_drop = false;
  {
    const FullDisk full(400'000);
    while (journal.dropped_rows() == 0) {
      append(journal, 50, 1000);
      (void)journal.drain();
      clock_.now += 100 * kMillisecond;
      red_before_drop |= !journal.healthy() && journal.dropped_rows() == 0;
      ASSERT_LE(journal.queued_bytes(), size_t{1} << 20);
    }
    EXPECT_FALSE(journal.drain());
    EXPECT_GT(sink_.rollbacks, 0);
  }
  EXPECT_TRUE(red_before_drop);
  EXPECT_FALSE(journal.healthy());
  ASSERT_TRUE(journal.drain());
  EXPECT_TRUE(journal.healthy());
  EXPECT_EQ(static_cast<uint64_t>(stored()) + journal.dropped_rows(), static_cast<uint64_t>(next_));
}

TEST_F(JournalTest, PERF_2_SlowStoreKeepsTheQueueUnderItsCapAndCountsWhatItDrops) {
  constexpr size_t kCap = 256 * 1024;
  Journal journal(open(), sink_, clock_, log_, {.cap_bytes = kCap});
  int tight = 0;
  uint64_t taken = 0;
  const std::string row = "0000000001" + std::string(990, 'x');
  for (int i = 0; i < 2000; ++i) {  // ten times what fits; the store does nothing meanwhile
    taken += journal.append(0, row.size(), [&](char* out, Room room) {
      tight += room == Room::Tight ? 1 : 0;
      std::copy(row.begin(), row.end(), out);
      return row.size();
    });
    ASSERT_LE(journal.queued_bytes(), kCap);
  }
  EXPECT_GT(tight, 100);
  EXPECT_GT(taken, 250U);
  EXPECT_EQ(journal.dropped_rows(), 2000 - taken);
  EXPECT_FALSE(journal.healthy());
  ASSERT_TRUE(journal.drain());
  EXPECT_TRUE(journal.healthy());
}

// Does so many pieces, then none; each is a transaction of its own.
class CountingChore final : public JournalChore {
 public:
  Result<bool> step(Database& database) override {
    if (fails) return Error(Outcome::Bug, "no");
    // Below the rows' own ids.
    auto done = database.exec(
        "INSERT INTO name(id, text) SELECT min(ifnull(min(id), 0), 0) - 1, 'piece ' || random()"
        " FROM name");
    if (!done) return std::move(done).error();
    return ++pieces < 100;
  }
  std::atomic<int> pieces = 0;
  bool fails = false;
};

TEST_F(JournalTest, DoesChoresBetweenFlushes) {
  CountingChore chore;
  Journal journal(open(), sink_, clock_, log_, {.flush_window_millis = 2, .chore = &chore});
  journal.start();
  while (chore.pieces < 100) {
    append(journal, 1);
    ASSERT_TRUE(journal.flush());
  }
  journal.stop();
  EXPECT_EQ(stored(), next_ + chore.pieces);
}

TEST_F(JournalTest, StoresRowsThoughAChoreFails) {
  CountingChore chore;
  chore.fails = true;
  Journal journal(open(), sink_, clock_, log_, {.flush_window_millis = 2, .chore = &chore});
  journal.start();
  for (int i = 1; i <= 20; ++i) {
    append(journal, 1);
    ASSERT_TRUE(journal.flush());
    EXPECT_TRUE(journal.healthy());
  }
  EXPECT_EQ(stored(), 20);
}

TEST_F(JournalTest, AppendsFromManyThreadsLoseNothing) {
  Journal journal(open(), sink_, clock_, log_, {.lanes = 2, .flush_window_millis = 2});
  journal.start();
  const auto work = [&journal](unsigned lane) {
    for (int i = 0; i < 5000; ++i) {
      std::string row = std::to_string(i * 2 + static_cast<int>(lane) + 1);
      row.insert(0, 10 - row.size(), '0');
      journal.append(lane, row.size(), [&](char* out, Room) {
        std::copy(row.begin(), row.end(), out);
        return row.size();
      });
    }
  };
  {
    NamedThread one("one", [&work] { work(0); });
    NamedThread two("two", [&work] { work(1); });
  }
  ASSERT_TRUE(journal.flush());
  EXPECT_EQ(stored(), 10'000);
}

}  // namespace
}  // namespace sluice::store
