#include "governance/admission.h"

#include <gtest/gtest.h>

namespace sluice::governance {
namespace {

constexpr int64_t kNoon = 1'795'435'200'000'000;
const Moment kNow{1000 * kSecond, kNoon};

std::shared_ptr<Account> account(Level level, std::optional<int64_t> parallel, NanoDollars budget) {
  auto made = std::make_shared<Account>(level, std::string(name_of(level)));
  Policy policy;
  policy.limits.parallel = parallel;
  BudgetRule rule;
  rule.name = "monthly";
  rule.amount = budget;
  policy.budgets = {rule};
  made->use(policy, kNoon);
  return made;
}

Subjects subjects(NanoDollars organisation, NanoDollars team, NanoDollars key) {
  return {account(Level::Organisation, {}, organisation), account(Level::Team, {}, team),
          account(Level::Key, 10, key), nullptr};
}

TEST(Admission, CountsAgainstEveryLevel) {
  const Subjects all = subjects(kDollar, kDollar, kDollar);
  Admission admission;
  EXPECT_FALSE(admission.take(all, {.cost = 5}, kNow, nullptr));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(all[i]->reserved(), 5);
  admission.settle({.cost = 3, .ended_micros = kNoon}, kNow, nullptr);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i]->reserved(), 0);
    EXPECT_EQ(all[i]->budgets(kNoon)[0].spent, 3);
  }
  EXPECT_FALSE(admission.holds());
}

TEST(Admission, WhereOneLevelRefusesNoneHoldsAnything) {
  const Subjects all = subjects(2, kDollar, kDollar);
  Admission admission;
  const std::optional<Refusal> refused = admission.take(all, {.cost = 5}, kNow, nullptr);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->level, Level::Organisation);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i]->reserved(), 0);
    EXPECT_EQ(all[i]->in_flight(), 0);
  }
}

TEST(Admission, BUD_1_HoldsMoreOfEveryLevelOrOfNone) {
  const Subjects all = subjects(12, kDollar, kDollar);
  Admission admission;
  ASSERT_FALSE(admission.take(all, {.cost = 5}, kNow, nullptr));
  EXPECT_FALSE(admission.hold_more(5, kNow));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(all[i]->reserved(), 10);
  const std::optional<Refusal> refused = admission.hold_more(5, kNow);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->level, Level::Organisation);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i]->reserved(), 10);
    EXPECT_EQ(all[i]->in_flight(), 1) << "it is still one request";
  }
  admission.settle({.cost = 8, .ended_micros = kNoon}, kNow, nullptr);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i]->reserved(), 0);
    EXPECT_EQ(all[i]->budgets(kNoon)[0].spent, 8);
  }
}

TEST(Admission, BUD_3_GivesBackWhatIsNeverSettled) {
  const Subjects all = subjects(kDollar, kDollar, kDollar);
  {
    Admission admission;
    EXPECT_FALSE(admission.take(all, {.cost = 5}, kNow, nullptr));
    const Admission moved = std::move(admission);
    EXPECT_TRUE(moved.holds());
  }
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i]->reserved(), 0);
    EXPECT_EQ(all[i]->in_flight(), 0);
  }
}

TEST(Admission, SettlesOnce) {
  const Subjects all = subjects(kDollar, kDollar, kDollar);
  Admission admission;
  EXPECT_FALSE(admission.take(all, {.cost = 5}, kNow, nullptr));
  admission.settle({.cost = 5, .ended_micros = kNoon}, kNow, nullptr);
  admission.settle({.cost = 5, .ended_micros = kNoon}, kNow, nullptr);
  EXPECT_EQ(all[2]->budgets(kNoon)[0].spent, 5);
}

}  // namespace
}  // namespace sluice::governance
