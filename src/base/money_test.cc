#include "base/money.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Money, ReadsDollarsExactly) {
  EXPECT_EQ(parse_dollars("12"), 12 * kDollar);
  EXPECT_EQ(parse_dollars("$0.10"), kDollar / 10);
  EXPECT_EQ(parse_dollars("0.000000001"), 1);
  EXPECT_EQ(parse_dollars("9223372036.854775807"), 9'223'372'036'854'775'807);
}

TEST(Money, RefusesWhatIsNoAmount) {
  for (const char* text : {"", "$", ".", "1.", "-1", "1e3", "1,000", "1.2.3", "0.0000000001",
                           "9223372036.854775808", "99999999999999999999", " 1"}) {
    EXPECT_EQ(parse_dollars(text), std::nullopt) << text;
  }
}

TEST(Money, IsShownWithAtLeastTwoDecimals) {
  EXPECT_EQ(dollars_text(12 * kDollar), "$12.00");
  EXPECT_EQ(dollars_text(kDollar / 10), "$0.10");
  EXPECT_EQ(dollars_text(54'399'000), "$0.054399");
  EXPECT_EQ(dollars_text(-kDollar / 2), "-$0.50");
  EXPECT_EQ(dollars_text(0), "$0.00");
}

}  // namespace
}  // namespace sluice
