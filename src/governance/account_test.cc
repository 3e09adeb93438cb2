#include "governance/account.h"

#include <gtest/gtest.h>
#include <limits>
#include <thread>

namespace sluice::governance {
namespace {

constexpr NanoDollars kCent = kDollar / 100;
constexpr int64_t kNoon = 1'795'435'200'000'000;  // 2026-11-23T12:00:00Z
constexpr int64_t kMinuteMicros = 60'000'000;
constexpr int64_t kDayMicros = 24 * 60 * kMinuteMicros;

Moment at(int64_t seconds) {
  return {seconds * kSecond, kNoon + seconds * 1'000'000};
}

BudgetRule daily(NanoDollars amount) {
  BudgetRule rule;
  rule.name = "daily";
  rule.amount = amount;
  rule.period = Period::Day;
  return rule;
}

Policy policy_of(std::vector<BudgetRule> rules) {
  Policy policy;
  policy.budgets = std::move(rules);
  return policy;
}

Policy policy_of(Limits limits) {
  Policy policy;
  policy.limits = limits;
  return policy;
}

class AccountTest : public testing::Test {
 protected:
  void use(const Policy& policy) { account.use(policy, kNoon); }
  std::optional<Refusal> take(const Ask& ask, Moment now) { return account.take(ask, now, &would); }
  void settle(const Ask& ask, Moment taken, const Used& used, Moment now) {
    account.settle(ask, taken, used, now, &crossings);
  }

  Account account{Level::Key, "prod"};
  std::vector<Refusal> would;
  std::vector<Crossing> crossings;
};

TEST_F(AccountTest, BUD_1_ReservationsNeverPassTheLimit) {
  use(policy_of({daily(kDollar)}));
  int accepted = 0;
  for (int i = 0; i < 200; ++i) accepted += take({.cost = 5 * kCent}, at(0)) ? 0 : 1;
  EXPECT_EQ(accepted, 20);
  EXPECT_EQ(account.reserved(), kDollar);
}

TEST_F(AccountTest, BUD_1_NorDoTheyWhenThreadsTakeAtOnce) {
  use(policy_of({daily(kDollar)}));
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k)
        accepted += account.take({.cost = kCent}, at(0), nullptr) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 100);
}

TEST_F(AccountTest, BUD_2_WhatWasNotUsedCanBeSpentAtOnce) {
  use(policy_of({daily(kDollar)}));
  const Ask ask{.cost = 5 * kCent};
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(take(ask, at(0)));
  ASSERT_TRUE(take(ask, at(0)));
  for (int i = 0; i < 20; ++i)
    settle(ask, at(0), {.cost = kCent / 2, .ended_micros = at(1).wall_micros}, at(1));
  const BudgetState state = account.budgets(at(1).wall_micros)[0];
  EXPECT_EQ(state.spent, 10 * kCent);
  EXPECT_EQ(state.reserved, 0);
  for (int i = 0; i < 18; ++i) EXPECT_FALSE(take(ask, at(1)));
  EXPECT_TRUE(take(ask, at(1)));
}

TEST_F(AccountTest, BUD_3_WhatWasNeverSentHoldsNothing) {
  use(policy_of({daily(kDollar)}));
  const Ask ask{.cost = kDollar, .tokens = 100};
  ASSERT_FALSE(take(ask, at(0)));
  account.give_back(ask, at(0));
  EXPECT_EQ(account.reserved(), 0);
  EXPECT_EQ(account.in_flight(), 0);
  EXPECT_FALSE(take(ask, at(0)));
}

TEST_F(AccountTest, BUD_9_ANewDayBeginsWithNothingSpent) {
  use(policy_of({daily(kDollar)}));
  const Ask ask{.cost = kDollar};
  ASSERT_FALSE(take(ask, at(0)));
  settle(ask, at(0), {.cost = kDollar, .ended_micros = kNoon}, at(1));
  const std::optional<Refusal> refused = take({.cost = 1}, at(1));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->resets_micros, kNoon + kDayMicros / 2);
  const Moment before{kDayMicros * 1000, refused->resets_micros - 1};
  const Moment after{kDayMicros * 1000, refused->resets_micros};
  EXPECT_TRUE(take({.cost = 1}, before));
  EXPECT_FALSE(take({.cost = 1}, after));
}

TEST_F(AccountTest, BUD_9_ARequestCountsForTheDayItEndsIn) {
  use(policy_of({daily(kDollar)}));
  const Ask ask{.cost = 60 * kCent};
  ASSERT_FALSE(take(ask, at(0)));
  const int64_t midnight = kNoon + kDayMicros / 2;
  const Moment next{kDayMicros * 1000, midnight + 1};
  // In flight over midnight: the new day already answers for it.
  EXPECT_TRUE(take(ask, next));
  settle(ask, at(0), {.cost = 60 * kCent, .ended_micros = midnight + 2}, next);
  EXPECT_EQ(account.budgets(midnight + 2)[0].spent, 60 * kCent);
  EXPECT_TRUE(take(ask, next));
}

TEST_F(AccountTest, BUD_10_ARaisedLimitHoldsForTheNextRequest) {
  use(policy_of({daily(kCent)}));
  const Ask ask{.cost = 2 * kCent};
  ASSERT_TRUE(take(ask, at(0)));
  use(policy_of({daily(kDollar)}));
  EXPECT_FALSE(take(ask, at(0)));
}

TEST_F(AccountTest, BUD_11_ARefusalNamesBudgetLimitSpendAndReset) {
  use(policy_of({daily(kDollar)}));
  account.add_spend(99 * kCent, kNoon);
  const std::optional<Refusal> refused = take({.cost = 2 * kCent}, at(0));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, LimitKind::Budget);
  EXPECT_EQ(refused->level, Level::Key);
  EXPECT_EQ(refused->subject, "prod");
  EXPECT_EQ(refused->budget, "daily");
  EXPECT_EQ(refused->limit, kDollar);
  EXPECT_EQ(refused->used, 99 * kCent);
  EXPECT_EQ(refused->retry_seconds, std::nullopt);
}

TEST_F(AccountTest, BUD_12_AStepIsNotTakenBeforeItsShare) {
  BudgetRule rule = daily(15 * kDollar);
  rule.ladder = {{990, Step::CheaperTier}};
  use(policy_of({rule}));
  account.add_spend(40 * kCent, kNoon);
  EXPECT_EQ(account.step(kNoon), std::nullopt);
  account.add_spend(1445 * kCent, kNoon);
  ASSERT_TRUE(account.step(kNoon));
  EXPECT_EQ(account.step(kNoon)->step, Step::CheaperTier);
}

TEST_F(AccountTest, TheHardestStepOfAllBudgetsCounts) {
  BudgetRule a = daily(10 * kDollar);
  a.ladder = {{500, Step::Warn}, {800, Step::SmallerOutput}};
  BudgetRule b = daily(100 * kDollar);
  b.name = "weekly";
  b.period = Period::Week;
  b.ladder = {{50, Step::CheaperTier}};
  use(policy_of({a, b}));
  account.add_spend(6 * kDollar, kNoon);
  EXPECT_EQ(account.step(kNoon)->step, Step::CheaperTier);
  account.add_spend(3 * kDollar, kNoon);
  EXPECT_EQ(account.step(kNoon)->step, Step::SmallerOutput);
  EXPECT_EQ(account.step(kNoon)->name, "daily");
}

TEST_F(AccountTest, ABlockBelowTheWholeLimitRefuses) {
  BudgetRule rule = daily(kDollar);
  rule.ladder = {{900, Step::Block}};
  use(policy_of({rule}));
  account.add_spend(90 * kCent, kNoon);
  EXPECT_TRUE(take({.cost = 1}, at(0)));
}

TEST_F(AccountTest, ASoftBudgetRefusesNobody) {
  BudgetRule rule = daily(kDollar);
  rule.hard = false;
  rule.ladder = {{800, Step::Warn}};
  use(policy_of({rule}));
  account.add_spend(3 * kDollar, kNoon);
  EXPECT_FALSE(take({.cost = kDollar}, at(0)));
  EXPECT_EQ(account.step(kNoon)->step, Step::Warn);
}

TEST_F(AccountTest, AnIncreaseCountsUntilItsEnd) {
  BudgetRule rule = daily(kDollar);
  rule.increase = Increase{.amount = kDollar, .until_micros = kNoon + kMinuteMicros};
  use(policy_of({rule}));
  account.add_spend(kDollar, kNoon);
  EXPECT_FALSE(take({.cost = kCent}, at(0)));
  EXPECT_TRUE(take({.cost = kCent}, at(60)));
}

TEST_F(AccountTest, InShadowTheRefusedAreCountedAndPass) {
  Limits limits{.requests_per_minute = 1, .shadow = true};
  BudgetRule rule = daily(kCent);
  rule.shadow = true;
  Policy policy = policy_of(limits);
  policy.budgets = {rule};
  use(policy);
  EXPECT_FALSE(take({.cost = kDollar}, at(0)));
  EXPECT_FALSE(take({.cost = kDollar}, at(0)));
  ASSERT_EQ(would.size(), 3U);
  EXPECT_EQ(would[0].kind, LimitKind::Budget);
  EXPECT_EQ(would[1].kind, LimitKind::Requests);
  EXPECT_TRUE(would[1].shadow);
}

TEST_F(AccountTest, RL_2_UnusedTokensComeBackAndExcessCountsFromNow) {
  use(policy_of(Limits{.tokens_per_minute = 1000}));
  const Ask ask{.tokens = 600};
  ASSERT_FALSE(take(ask, at(0)));
  EXPECT_EQ(take(ask, at(1))->kind, LimitKind::Tokens);
  settle(ask, at(0), {.tokens = 100, .ended_micros = kNoon}, at(2));
  ASSERT_FALSE(take(ask, at(2)));
  settle(ask, at(2), {.tokens = 900, .ended_micros = kNoon}, at(50));
  // 100 of second 0, 600 of second 2 and 300 of second 50 make the minute full.
  EXPECT_EQ(account.allowances(at(50)).tokens.remaining, 0);
  EXPECT_EQ(account.allowances(at(61)).tokens.remaining, 100);
  EXPECT_EQ(account.allowances(at(63)).tokens.remaining, 700);
  EXPECT_EQ(account.allowances(at(111)).tokens.remaining, 1000);
}

TEST_F(AccountTest, RL_2_ALimitThatCameAfterTheRequestIsNotTurnedIntoCredit) {
  const Ask ask{.tokens = 600};
  ASSERT_FALSE(take(ask, at(0)));
  use(policy_of(Limits{.tokens_per_minute = 1000}));
  settle(ask, at(0), {.tokens = 100, .ended_micros = kNoon}, at(1));
  EXPECT_EQ(account.allowances(at(1)).tokens.remaining, 900);
}

TEST_F(AccountTest, RL_3_ParallelSlotsComeBack) {
  use(policy_of(Limits{.parallel = 2}));
  ASSERT_FALSE(take({}, at(0)));
  ASSERT_FALSE(take({}, at(0)));
  const std::optional<Refusal> refused = take({}, at(0));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, LimitKind::Parallel);
  EXPECT_EQ(refused->retry_seconds, 1);
  settle({}, at(0), {.ended_micros = kNoon}, at(0));
  EXPECT_FALSE(take({}, at(0)));
}

TEST_F(AccountTest, RL_4_ARefusalSaysWhenToComeAgain) {
  use(policy_of(Limits{.requests_per_minute = 2}));
  ASSERT_FALSE(take({}, at(0)));
  ASSERT_FALSE(take({}, at(10)));
  const std::optional<Refusal> refused = take({}, at(20));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, LimitKind::Requests);
  EXPECT_EQ(refused->limit, 2);
  EXPECT_EQ(refused->retry_seconds, 41);
  EXPECT_EQ(account.allowances(at(20)).requests.remaining, 0);
  EXPECT_EQ(account.allowances(at(20)).requests.reset_seconds, 51);
}

TEST_F(AccountTest, ARefusedRequestTakesNoPartOfAnyLimit) {
  Policy policy = policy_of(Limits{.requests_per_minute = 5});
  policy.budgets = {daily(kCent)};
  use(policy);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(take({.cost = kDollar}, at(0))->kind, LimitKind::Budget);
  EXPECT_EQ(account.allowances(at(0)).requests.remaining, 5);
}

TEST_F(AccountTest, OBS_7_EachMarkIsToldOnceAPeriod) {
  use(policy_of({daily(kDollar)}));
  const auto spend = [&](NanoDollars cost, Moment now) {
    ASSERT_FALSE(take({.cost = cost}, now));
    settle({.cost = cost}, now, {.cost = cost, .ended_micros = now.wall_micros}, now);
  };
  spend(49 * kCent, at(0));
  EXPECT_TRUE(crossings.empty());
  spend(kCent, at(1));
  spend(kCent, at(2));
  ASSERT_EQ(crossings.size(), 1U);
  EXPECT_EQ(crossings[0].permille, 500);
  EXPECT_EQ(crossings[0].state.name, "daily");
  use(policy_of({daily(kDollar)}));  // a reload tells nothing twice
  spend(49 * kCent, at(3));
  ASSERT_EQ(crossings.size(), 3U);
  EXPECT_EQ(crossings[1].permille, 800);
  EXPECT_EQ(crossings[2].permille, 1000);
  const Moment tomorrow{kDayMicros * 1000, kNoon + kDayMicros};
  spend(50 * kCent, tomorrow);
  EXPECT_EQ(crossings.size(), 4U);
}

TEST_F(AccountTest, ABudgetThatIsMadeLaterKnowsWhatWasSpentBefore) {
  account.add_spend(60 * kCent, kNoon - kMinuteMicros);
  account.add_spend(70 * kCent, kNoon - kDayMicros);
  BudgetRule total = daily(10 * kDollar);
  total.name = "total";
  total.period = Period::Total;
  use(policy_of({daily(kDollar), total}));
  EXPECT_EQ(account.budgets(kNoon)[0].spent, 60 * kCent);
  EXPECT_EQ(account.budgets(kNoon)[1].spent, 130 * kCent);
}

TEST_F(AccountTest, SharesOfHugeSumsDoNotOverflow) {
  BudgetRule rule = daily(std::numeric_limits<int64_t>::max() / 2);
  rule.ladder = {{500, Step::Warn}};
  use(policy_of({rule}));
  account.add_spend(std::numeric_limits<int64_t>::max() / 3, kNoon);
  EXPECT_EQ(account.step(kNoon)->used_permille(), 666);
}

TEST_F(AccountTest, ABudgetOfNothingIsUsedUp) {
  use(policy_of({daily(0)}));
  EXPECT_TRUE(take({.cost = 1}, at(0)));
  EXPECT_FALSE(take({.cost = 0}, at(0)));  // costs nothing, so it overruns nothing
}

// There is no cache yet.
TEST_F(AccountTest, AStepThatLeavesTheCacheAloneRefusesAll) {
  BudgetRule rule = daily(kDollar);
  rule.ladder = {{800, Step::CacheOnly}};
  use(policy_of({rule}));
  account.add_spend(80 * kCent, kNoon);
  const std::optional<Refusal> refused = take({.cost = kCent}, at(0));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->step, Step::CacheOnly);
  EXPECT_EQ(refused->used, 80 * kCent);
}

TEST_F(AccountTest, BUD_1_IsAmpleWhileAllThatIsHeldMayBeFourTimesAsMuch) {
  EXPECT_TRUE(account.is_ample({.cost = kDollar, .tokens = 1000}, 4, at(0))) << "without limits";
  use(policy_of({daily(kDollar)}));
  EXPECT_TRUE(account.is_ample({.cost = 25 * kCent}, 4, at(0)));
  EXPECT_FALSE(account.is_ample({.cost = 25 * kCent + 1}, 4, at(0)));
  const Ask held{.cost = 10 * kCent};
  ASSERT_FALSE(take(held, at(0)));
  EXPECT_TRUE(account.is_ample({.cost = 15 * kCent}, 4, at(0)));
  EXPECT_FALSE(account.is_ample({.cost = 15 * kCent + 1}, 4, at(0)));
  settle(held, at(0), {.cost = 40 * kCent, .ended_micros = kNoon}, at(1));
  EXPECT_TRUE(account.is_ample({.cost = 15 * kCent}, 4, at(1))) << "what is spent is known";
  EXPECT_FALSE(account.is_ample({.cost = 16 * kCent}, 4, at(1)));
}

TEST_F(AccountTest, RL_2_IsAmpleForTokensInTheFirstQuarterOfTheLimit) {
  use(policy_of(Limits{.tokens_per_minute = 1000}));
  ASSERT_FALSE(take({.tokens = 200}, at(0)));
  EXPECT_TRUE(account.is_ample({.tokens = 50}, 4, at(1)));
  EXPECT_FALSE(account.is_ample({.tokens = 51}, 4, at(1)));
  EXPECT_TRUE(account.is_ample({.tokens = 51}, 4, at(61)));
}

TEST_F(AccountTest, AsksOfARequestWhatItsPolicyNeeds) {
  EXPECT_EQ(account.demands(), Demands{});
  use(policy_of(Limits{.tokens_per_minute = 5}));
  EXPECT_EQ(account.demands(), (Demands{.tokens = true, .told = true}));
  BudgetRule soft = daily(kDollar);
  soft.hard = false;
  BudgetRule shadow = daily(kDollar);
  shadow.shadow = true;
  use(policy_of({soft, shadow}));
  EXPECT_EQ(account.demands(), (Demands{.cost = true}));
  use(policy_of({soft, daily(kDollar)}));
  EXPECT_EQ(account.demands(), (Demands{.cost = true, .known_cost = true}));
}

TEST_F(AccountTest, TellsNothingOfALimitInShadow) {
  use(policy_of(Limits{.requests_per_minute = 5, .shadow = true}));
  EXPECT_EQ(account.allowances(at(0)).requests.limit, std::nullopt);
  EXPECT_FALSE(account.demands().told);
}

}  // namespace
}  // namespace sluice::governance
