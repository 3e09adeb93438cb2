#include "governance/spend.h"

#include <gtest/gtest.h>

namespace sluice::governance {
namespace {

constexpr int64_t kDayMicros = 96 * kQuarterMicros;

TEST(Spend, SumsAWindowAndTheTotal) {
  Spend spend;
  spend.add(10 * kDayMicros - 1, 5);
  spend.add(10 * kDayMicros, 7);
  spend.add(11 * kDayMicros - 1, 11);
  spend.add(11 * kDayMicros, 13);
  EXPECT_EQ(spend.within({10 * kDayMicros, 11 * kDayMicros}), 18);
  EXPECT_EQ(spend.within(kAllTime), 36);
}

TEST(Spend, TakesWhatComesLateIntoItsQuarter) {
  Spend spend;
  spend.add(11 * kDayMicros, 13);
  spend.add(10 * kDayMicros, 7);
  spend.add(10 * kDayMicros, 1);
  EXPECT_EQ(spend.within({10 * kDayMicros, 11 * kDayMicros}), 8);
}

TEST(Spend, KeepsAMonthAndTheTotalOfAllTime) {
  Spend spend;
  for (int64_t quarter = 0; quarter < 96 * 400; ++quarter) spend.add(quarter * kQuarterMicros, 1);
  EXPECT_EQ(spend.total(), 96 * 400);
  EXPECT_EQ(spend.within({369 * kDayMicros, 400 * kDayMicros}), 31 * 96);
}

TEST(Spend, BeginsWithWhatTheLedgerSays) {
  Spend spend;
  const std::vector<QuarterSpend> seen = {{960, 3}, {961, 4}};
  spend.seed(seen, 100);
  spend.add(961 * kQuarterMicros, 1);
  EXPECT_EQ(spend.within({10 * kDayMicros, 11 * kDayMicros}), 8);
  EXPECT_EQ(spend.total(), 101);
}

}  // namespace
}  // namespace sluice::governance
