#include "routing/retry_budget.h"

#include <deque>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

TEST(RetryBudget, AReserveIsThereHoweverFewRequestsThereAre) {
  RetryBudget budget(RetryBudgetOptions{});
  Nanos now = 1000 * kSecond;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(budget.try_spend(now));
  EXPECT_FALSE(budget.try_spend(now));
  EXPECT_FALSE(budget.try_spend(now + 10 * kSecond)) << "the first second is still in the window";
  EXPECT_TRUE(budget.try_spend(now + 11 * kSecond));
}

TEST(RetryBudget, ATenthOfTheRequestsMayBeRetried) {
  RetryBudget budget(RetryBudgetOptions{});
  const Nanos now = 1000 * kSecond;
  for (int i = 0; i < 1000; ++i) budget.count_request(now);
  int spent = 0;
  while (budget.try_spend(now)) ++spent;
  EXPECT_EQ(spent, 100);
  EXPECT_EQ(budget.usage(now).requests, 1000);
  EXPECT_EQ(budget.usage(now).retries, 100);
  EXPECT_EQ(budget.usage(now).allowed, 100);
}

TEST(RetryBudget, OptionsMayChange) {
  RetryBudget budget(RetryBudgetOptions{});
  budget.set_options({.percent = 0, .reserve = 1});
  const Nanos now = 1000 * kSecond;
  EXPECT_TRUE(budget.try_spend(now));
  EXPECT_FALSE(budget.try_spend(now));
}

// Every request wants two more attempts.
TEST(RetryBudget, RET_6_G8_AmplificationStaysUnderOneTenthInAnyTenSeconds) {
  RetryBudget budget(RetryBudgetOptions{});
  const Nanos begin = 1000 * kSecond;
  std::deque<Nanos> requests;
  std::deque<Nanos> retries;
  for (Nanos now = begin; now < begin + 60 * kSecond; now += 2 * kMillisecond) {
    budget.count_request(now);
    requests.push_back(now);
    for (int i = 0; i < 2; ++i) {
      if (budget.try_spend(now)) retries.push_back(now);
    }
    while (requests.front() <= now - 10 * kSecond) requests.pop_front();
    while (!retries.empty() && retries.front() <= now - 10 * kSecond) retries.pop_front();
    ASSERT_LE(retries.size(), std::max<size_t>(20, requests.size() / 10));
  }
  EXPECT_GT(retries.size(), 400u) << "what is allowed is used";
}

TEST(RetryBudget, ThreadsDoNotOverspend) {
  RetryBudget budget(RetryBudgetOptions{});
  std::atomic<int> spent = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&budget, &spent] {
      for (int i = 0; i < 5000; ++i) {
        budget.count_request(1000 * kSecond);
        if (budget.try_spend(1000 * kSecond)) ++spent;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(spent, 2000);
  EXPECT_EQ(budget.usage(1000 * kSecond).requests, 20'000);
}

}  // namespace
}  // namespace sluice::routing
