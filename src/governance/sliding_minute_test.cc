#include "governance/sliding_minute.h"

#include <deque>
#include <gtest/gtest.h>
#include <random>

namespace sluice::governance {
namespace {

TEST(SlidingMinute, CountsWhatWasTakenInTheLastMinute) {
  SlidingMinute minute;
  minute.add(1000, 60);
  minute.add(1030, 40);
  EXPECT_EQ(minute.used(1030), 100);
  EXPECT_EQ(minute.used(1060), 100);
  EXPECT_EQ(minute.used(1061), 40);
  EXPECT_EQ(minute.used(1091), 0);
}

TEST(SlidingMinute, SaysHowLongToWait) {
  SlidingMinute minute;
  minute.add(1000, 60);
  minute.add(1030, 40);
  EXPECT_EQ(minute.wait(1030, 1, 101), 0);
  EXPECT_EQ(minute.wait(1030, 1, 100), 31);
  EXPECT_EQ(minute.wait(1030, 61, 100), 61);
  EXPECT_EQ(minute.wait(1030, 101, 100), std::nullopt);
}

TEST(SlidingMinute, TakesBackWhatWasNotUsed) {
  SlidingMinute minute;
  minute.add(1000, 60);
  minute.add(1000, -50);
  EXPECT_EQ(minute.used(1010), 10);
  minute.add(1000, -10);
  EXPECT_EQ(minute.used(1061), 0);
  minute.add(1000, -10);  // long gone
  EXPECT_EQ(minute.used(1061), 0);
}

TEST(SlidingMinute, ForgetsAllAfterALongPause) {
  SlidingMinute minute;
  minute.add(1000, 60);
  EXPECT_EQ(minute.used(100'000), 0);
}

TEST(SlidingMinute, RL_1_NoSixtySecondsHoldMoreThanTheLimit) {
  // Against the definition, at the times of a random load in milliseconds.
  std::mt19937_64 random(7);
  SlidingMinute minute;
  std::deque<int64_t> taken;
  int64_t now = 5'000'000;
  for (int i = 0; i < 100'000; ++i) {
    now += static_cast<int64_t>(random() % 700);
    if (minute.wait(now / 1000, 1, 100) != 0) continue;
    minute.add(now / 1000, 1);
    taken.push_back(now);
    while (now - taken.front() >= 60'000) taken.pop_front();
    ASSERT_LE(taken.size(), 100U);
  }
}

TEST(SlidingMinute, TheWaitItNamesIsTheFirstSecondThatFits) {
  std::mt19937_64 random(8);
  SlidingMinute minute;
  int64_t second = 1000;
  for (int i = 0; i < 5000; ++i) {
    second += static_cast<int64_t>(random() % 4);
    const auto amount = static_cast<int64_t>(random() % 30) + 1;
    const auto wait = minute.wait(second, amount, 100);
    ASSERT_TRUE(wait);
    if (*wait == 0) {
      minute.add(second, amount);
      continue;
    }
    SlidingMinute early = minute;
    EXPECT_GT(early.used(second + *wait - 1) + amount, 100);
    SlidingMinute then = minute;
    EXPECT_LE(then.used(second + *wait) + amount, 100);
  }
}

TEST(SlidingMinute, ItsResetIsTheFirstSecondWithNothingUsed) {
  std::mt19937_64 random(9);
  SlidingMinute minute;
  int64_t second = 1000;
  for (int i = 0; i < 2000; ++i) {
    second += static_cast<int64_t>(random() % 30);
    const auto amount = static_cast<int64_t>(random() % 3);
    minute.add(second, amount);
    const int64_t reset = minute.reset(second);
    if (reset == 0) {
      EXPECT_EQ(minute.used(second), 0);
      continue;
    }
    SlidingMinute early = minute;
    EXPECT_GT(early.used(second + reset - 1), 0);
    SlidingMinute then = minute;
    EXPECT_EQ(then.used(second + reset), 0);
  }
}

}  // namespace
}  // namespace sluice::governance
