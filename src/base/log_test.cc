#include "base/log.h"

#include <algorithm>
#include <concepts>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace sluice {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class ManualClock final : public Clock {
 public:
  Nanos monotonic() const override { return now; }
  int64_t wall_micros() const override { return 1'795'424'461'001'000 + now / 1000; }
  Nanos now = 0;
};

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "log_test_" + std::to_string(getpid());
    unlink(path_.c_str());
    auto sink = LineSink::to_file(path_, {});
    ASSERT_TRUE(sink);
    sink_ = std::move(*sink);
  }
  void TearDown() override { unlink(path_.c_str()); }
  std::string written() {
    sink_->flush();
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::string path_;
  std::unique_ptr<LineSink> sink_;
  ManualClock clock_;
};

TEST_F(LogTest, WritesOneJsonObjectPerLine) {
  Logger log(*sink_, clock_, LogStyle::Json);
  log.warn("odd \"thing\"", {{"count", 3}, {"name", "a\nb"}, {"on", true}});
  EXPECT_EQ(written(),
            "{\"ts\":\"2026-11-23T09:01:01.001Z\",\"level\":\"warn\",\"msg\":\"odd \\\"thing\\\"\","
            "\"count\":3,\"name\":\"a\\nb\",\"on\":true}\n");
}

TEST_F(LogTest, IsReadableOnATerminalAndCannotMoveItsCursor) {
  Logger log(*sink_, clock_, LogStyle::Pretty);
  log.info("hello", {{"port", 8080}, {"evil", "\x1b[2J"}});
  const std::string text = written();
  EXPECT_THAT(text, HasSubstr("09:01:01.001"));
  EXPECT_THAT(text, HasSubstr("hello"));
  EXPECT_THAT(text, HasSubstr("8080"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b[2J")));
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  Logger log(*sink_, clock_, LogStyle::Json, Level::Warn);
  log.info("quiet");
  log.set_level(Level::Info);
  log.info("loud");
  EXPECT_THAT(written(), Not(HasSubstr("quiet")));
  EXPECT_THAT(written(), HasSubstr("loud"));
}

TEST_F(LogTest, HoldsBackRepeatsAndSaysHowMany) {
  Logger log(*sink_, clock_, LogStyle::Json);
  for (int i = 0; i < 1000; ++i) log.error("disk full");
  log.error("another");
  std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  clock_.now += 11 * kSecond;
  log.error("disk full");
  EXPECT_THAT(written(), HasSubstr("\"msg\":\"disk full\",\"repeated\":990}"));
}

template <class Value>
concept Loggable = requires(const Value& value) { Field("key", value); };

TEST_F(LogTest, TakesNoSecret) {
  static_assert(Loggable<std::string>);
  static_assert(!Loggable<Secret>);
  static_assert(!std::equality_comparable<Secret>);
  const Secret key("sk-canary");
  EXPECT_TRUE(key.equals("sk-canary"));
  EXPECT_FALSE(key.equals("sk-canarz"));
  EXPECT_FALSE(key.equals("sk-canary2"));
  EXPECT_EQ(key.reveal(), "sk-canary");
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret from("short");
  const Secret to(std::move(from));
  EXPECT_EQ(to.reveal(), "short");
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(std::string_view(from.reveal().data(), 5).find("short"), std::string_view::npos);
}

TEST(LineSink, P16_APipeThatNobodyReadsDropsLinesAndBlocksNobody) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    LineSink sink(ends[1], {.lanes = 1, .cap_bytes = 64 * 1024});
    const std::string line(999, 'x');
    int refused = 0;
    for (int i = 0; i < 2000; ++i) refused += sink.append(0, line + "\n") ? 0 : 1;
    EXPECT_GT(refused, 0);
    EXPECT_EQ(sink.dropped(), static_cast<uint64_t>(refused));
  }  // ends although the pipe is full
  close(ends[0]);
  close(ends[1]);
}

TEST(LineSink, CountsWhatAFullDiskLoses) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  LineSink sink(full, {});
  sink.append(0, "one\n");
  sink.append(0, "two\n");
  sink.flush();
  EXPECT_EQ(sink.dropped(), 2U);
  close(full);
}

TEST(LineSink, SaysWhyAFileCannotBeOpened) {
  const auto sink = LineSink::to_file("/no/such/folder/log", {});
  ASSERT_FALSE(sink);
  EXPECT_THAT(sink.error().message(), EndsWith("No such file or directory"));
}

}  // namespace
}  // namespace sluice
