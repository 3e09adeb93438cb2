// Kills a program that writes a ledger, again and again, and looks what is left.
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <random>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "base/id.h"
#include "store/schema.h"
#include "telemetry/ledger.h"
#include "telemetry/ledger_keeper.h"
#include "telemetry/ledger_sink.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

constexpr int kWindowMillis = 20;
// The window, and what a busy machine may take to run a thread that is due.
constexpr Nanos kSettled = 200 * kMillisecond;
constexpr int kKills = 10;
constexpr int kQuickKills = 50;

struct Ack {
  uint64_t key;
  Nanos finished;
};

// When the child says of a row that it finished it.
enum class Say : uint8_t { AtOnce, WhenFlushed };

// The child: finishes exchanges and acknowledges each, until it is killed.
[[noreturn]] void write_for_ever(const std::string& path, int acks, int round, Say say) {
  const SystemClock clock;
  LineSink lines(STDERR_FILENO, {});
  Logger log(lines, clock, LogStyle::Json);
  auto database = store::open_store(path, store::ledger_schema(), {.outlives_power_cuts = true});
  if (!database) _exit(1);
  auto floor = read_last_key(*database);
  auto base = read_usage_base(*database);
  if (!floor || !base) _exit(2);
  LedgerSink sink;
  LedgerKeeper keeper(clock, log, {});
  store::Journal journal(std::move(*database), sink, clock, log,
                         {.flush_window_millis = kWindowMillis, .chore = &keeper});
  journal.start();
  Registry registry(1);
  Ledger ledger({.registry = registry, .journal = journal, .log = log, .clock = clock},
                std::make_shared<PriceTable>(PriceTable::built_in()), *base);
  const TargetMeters& target = ledger.target("openai", "gpt-5-mini", "tier2");
  IdSource ids(0, static_cast<uint64_t>(round), *floor);
  for (;;) {
    std::vector<Ack> said;
    for (int i = 0; i < 10; ++i) {
      Record record;
      record.started_micros = clock.wall_micros();
      record.key = ids.next_key(record.started_micros);
      record.request_id = ids.request_id(record.key);
      record.endpoint = "chat";
      record.meters = &target;
      record.caller = {.organisation = "acme", .team = "a", .key = i % 2 == 0 ? "k1" : "k2"};
      record.usage.plain_input = 1000;
      record.usage_source = chat::UsageSource::Reported;
      const uint64_t key = record.key;
      ledger.finish(0, std::move(record));
      said.push_back({key, clock.monotonic()});
    }
    if (say == Say::WhenFlushed && !journal.flush()) _exit(4);
    for (const Ack& ack : said) {
      if (write(acks, &ack, sizeof ack) != sizeof ack) _exit(3);
    }
    poll(nullptr, 0, 1);
  }
}

void read_acks(int from, std::vector<Ack>& acks) {
  Ack some[256];
  for (ssize_t got; (got = read(from, some, sizeof some)) > 0;) {
    acks.insert(acks.end(), some, some + got / static_cast<ssize_t>(sizeof(Ack)));
  }
}

// Runs a child for so long, kills it, and returns the keys that must be in the ledger.
std::vector<uint64_t> run_and_kill(const std::string& path, int round, Nanos for_long, Say say) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) write_for_ever(path, ends[1], round, say);
  close(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const SystemClock clock;
  std::vector<Ack> acks;
  Nanos end = 0;  // starts with the first acknowledgement
  while (end == 0 || clock.monotonic() < end) {
    pollfd readable{.fd = ends[0], .events = POLLIN, .revents = 0};
    poll(&readable, 1, 1);
    read_acks(ends[0], acks);
    if (end == 0 && !acks.empty()) end = clock.monotonic() + for_long;
    if ((readable.revents & POLLHUP) != 0) break;
  }
  const Nanos killed = clock.monotonic();
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
  read_acks(ends[0], acks);
  close(ends[0]);
  std::vector<uint64_t> owed;
  for (const Ack& ack : acks) {
    if (say == Say::WhenFlushed || ack.finished < killed - kSettled) owed.push_back(ack.key);
  }
  return owed;
}

std::set<uint64_t> keys_in(const store::Database& database) {
  std::set<uint64_t> keys;
  auto rows = database.prepare("SELECT key FROM exchange");
  EXPECT_TRUE(rows);
  for (auto row = rows->step(); row && *row; row = rows->step()) {
    const auto key = static_cast<uint64_t>(rows->integer(0));
    EXPECT_TRUE(keys.insert(key).second) << "none twice";
  }
  return keys;
}

// Kills so many writers of one ledger, each after `for_long` or up to `more` later.
void kill_again_and_again(int kills, Nanos for_long, int64_t more_millis, Say say) {
  const std::string folder = ::testing::TempDir() + "ledger_kill_" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/ledger.db";
  // Under --gtest_repeat with --gtest_shuffle every run kills at other moments.
  std::mt19937 random(static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()) + 4);
  std::set<uint64_t> owed;
  for (int round = 0; round < kills; ++round) {
    const Nanos until =
        for_long + static_cast<Nanos>(random() % static_cast<unsigned>(more_millis)) * kMillisecond;
    for (const uint64_t key : run_and_kill(path, round, until, say)) {
      EXPECT_TRUE(owed.insert(key).second) << "no two requests share a key";
    }
    auto database = store::open_store(path);
    ASSERT_TRUE(database) << database.error().message();
    const std::set<uint64_t> there = keys_in(*database);
    ASSERT_TRUE(std::includes(there.begin(), there.end(), owed.begin(), owed.end()))
        << "round " << round;
    auto report = verify_ledger(*database);
    ASSERT_TRUE(report);
    ASSERT_THAT(report->problems, ::testing::IsEmpty()) << "round " << round;
  }
  EXPECT_GT(owed.size(), 500U);
  std::filesystem::remove_all(folder);
}

TEST(LedgerKill, DB_4_EveryRowOlderThanTheFlushWindowSurvivesSigkillOnce) {
  kill_again_and_again(kKills, kSettled, 100, Say::AtOnce);
}

TEST(LedgerKill, DB_4_FiftyKillsLoseNoRowThatWasFlushedAndNoSum) {
  kill_again_and_again(kQuickKills, 0, 40, Say::WhenFlushed);
}

}  // namespace
}  // namespace sluice::telemetry
