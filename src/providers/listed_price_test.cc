#include "providers/listed_price.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::providers {
namespace {

// Nano-dollars per million tokens, of dollars per million.
constexpr int64_t kDollar = 1'000'000'000;

Result<std::optional<ListedPrice>> read(const std::string& json) {
  simdjson::dom::parser parser;
  return read_openrouter_price(parser.parse(json).get_object().value());
}

// Requires that there is one.
ListedPrice price_of(const std::string& json) {
  auto price = read(json);
  EXPECT_TRUE(price && *price) << json;
  return price && *price ? **price : ListedPrice();
}

// With prompt and completion in front.
std::string with(const std::string& members) {
  return R"({"prompt":"0.000001","completion":"0.000004",)" + members + "}";
}

bool is_unknown(const std::string& json) {
  const auto price = read(json);
  return price && !*price;
}

TEST(RateOfDollars, EveryDecimalCountsAndNothingIsRoundedUpToTheFifteenth) {
  EXPECT_EQ(rate_of_dollars("0.00000025"), kDollar / 4);
  EXPECT_EQ(rate_of_dollars("0.000002"), 2 * kDollar);
  EXPECT_EQ(rate_of_dollars("0.000000025"), 25'000'000);
  EXPECT_EQ(rate_of_dollars("0.000000000000001"), 1);
  EXPECT_EQ(rate_of_dollars("0.000000123456789"), 123'456'789);
  EXPECT_EQ(rate_of_dollars("1"), 1'000'000 * kDollar);
  EXPECT_EQ(rate_of_dollars("1.000000000000000"), 1'000'000 * kDollar);
}

TEST(RateOfDollars, WhatIsFinerIsRoundedHalfUp) {
  EXPECT_EQ(rate_of_dollars("0.0000000000000004"), 0);
  EXPECT_EQ(rate_of_dollars("0.0000000000000005"), 1);
  EXPECT_EQ(rate_of_dollars("0.00000007999999999999999"), 80'000'000);
  EXPECT_EQ(rate_of_dollars("5e-16"), 1);
  EXPECT_EQ(rate_of_dollars("5e-17"), 0);
}

TEST(RateOfDollars, AnExponentMovesThePoint) {
  EXPECT_EQ(rate_of_dollars("2.5e-7"), kDollar / 4);
  EXPECT_EQ(rate_of_dollars("25E-8"), kDollar / 4);
  EXPECT_EQ(rate_of_dollars("0.0001e+1"), 1'000 * kDollar);
  EXPECT_EQ(rate_of_dollars("0e50"), 0);
}

TEST(RateOfDollars, PRICE_3_ZeroIsZeroAndLessIsKept) {
  EXPECT_EQ(rate_of_dollars("0"), 0);
  EXPECT_EQ(rate_of_dollars("0.0"), 0);
  EXPECT_EQ(rate_of_dollars("-0"), 0);
  EXPECT_EQ(rate_of_dollars("-1"), -1'000'000 * kDollar);
}

TEST(RateOfDollars, WhatIsNoDecimalNumberIsNoPrice) {
  for (const char* text : {"",
                           "-",
                           ".",
                           ".5",
                           "1.",
                           "1e",
                           "1e-",
                           "1e1000",
                           "+1",
                           " 1",
                           "1 ",
                           "0x1",
                           "1,5",
                           "NaN",
                           "infinity",
                           "free",
                           "1.0000001",
                           "2",
                           "10",
                           "--1",
                           "1-",
                           "0..1",
                           "0.00000000000000000000000000000000000000000000000000000000000000001"}) {
    EXPECT_EQ(rate_of_dollars(text), std::nullopt) << text;
  }
}

TEST(ListedPrice, EveryRateOfTokensIsTaken) {
  const ListedPrice price =
      price_of(with(R"("input_cache_read":"0.0000001","input_cache_write":"0.00000125",)"
                    R"("input_cache_write_1h":"0.000002","image":"0.5","web_search":"0.01")"));
  EXPECT_EQ(price.base, (ListedRates{.input = kDollar,
                                     .cached_input = kDollar / 10,
                                     .cache_write = kDollar + kDollar / 4,
                                     .cache_write_1h = 2 * kDollar,
                                     .output = 4 * kDollar}));
}

TEST(ListedPrice, WhatIsNotStatedIsNotKnown) {
  const ListedPrice price = price_of(with(R"("input_cache_read":null,"request":"0")"));
  EXPECT_EQ(price.base, (ListedRates{.input = kDollar, .output = 4 * kDollar}));
}

TEST(ListedPrice, PRICE_1_WhatTokensDoNotTellIsUnknownAndNotZero) {
  EXPECT_TRUE(is_unknown(R"({"prompt":"-1","completion":"-1"})")) << "varies";
  EXPECT_TRUE(is_unknown(R"({"prompt":"0.1"})")) << "no price of output";
  EXPECT_TRUE(is_unknown(R"({"completion":"0.1","prompt":null})"));
  EXPECT_TRUE(is_unknown("{}"));
  EXPECT_TRUE(is_unknown(with(R"("input_cache_read":"-1")")));
  EXPECT_TRUE(is_unknown(with(R"("request":"0.005")"))) << "costs by the piece too";
  EXPECT_TRUE(is_unknown(with(R"("internal_reasoning":"0.000009")"))) << "thinking costs more";
  EXPECT_TRUE(is_unknown(with(R"("discount":0.5)"))) << "off these rates, or taken off already";
}

TEST(ListedPrice, ThinkingAtThePriceOfOutputIsNothingSpecial) {
  EXPECT_FALSE(is_unknown(with(R"("internal_reasoning":"0.000004","discount":0)")));
  EXPECT_FALSE(is_unknown(with(R"("internal_reasoning":"0")")));
}

TEST(ListedPrice, APriceThatIsNoneMakesTheListOneThatIsNotUnderstood) {
  for (const std::string bad :
       {R"("request":0)", R"("input_cache_read":"cheap")", R"("input_cache_write":[])",
        R"("internal_reasoning":true)", R"("discount":"half")"}) {
    const auto price = read(with(bad));
    ASSERT_FALSE(price) << bad;
    EXPECT_EQ(price.error().outcome(), Outcome::UpstreamBadReply);
  }
  EXPECT_EQ(read(R"({"prompt":1,"completion":"0"})").error().message(),
            "`prompt` is no price in dollars");
}

TEST(ListedPrice, LongPromptsHaveRatesOfTheirOwnFromTheirStepOn) {
  const ListedPrice price =
      price_of(with(R"("overrides":[{"min_prompt_tokens":1000,"prompt":"0.000002","image":"1"},)"
                    R"({"min_prompt_tokens":2000,"completion":"0.000008"}])"));
  ASSERT_EQ(price.steps.size(), 2U);
  EXPECT_EQ(price.steps[0].from_prompt_tokens, 1000);
  EXPECT_EQ(price.steps[0].rates, (ListedRates{.input = 2 * kDollar}));
  EXPECT_EQ(price.steps[1].rates, (ListedRates{.input = 2 * kDollar, .output = 8 * kDollar}))
      << "what an earlier one replaced stays replaced";
}

TEST(ListedPrice, HoursOfTheDayHaveRatesOfTheirOwnAlsoOverMidnight) {
  const ListedPrice price = price_of(
      with(R"("overrides":[{"utc_start":"16:30","utc_end":"00:30:30Z","prompt":"0.0000005"}])"));
  ASSERT_EQ(price.hours.size(), 2U);
  EXPECT_EQ(price.hours[0].start, 16 * 3600 + 30 * 60);
  EXPECT_EQ(price.hours[0].end, 86'400);
  EXPECT_EQ(price.hours[1].start, 0);
  EXPECT_EQ(price.hours[1].end, 30 * 60 + 30);
  EXPECT_EQ(price.hours[1].rates, (ListedRates{.input = kDollar / 2}));
}

TEST(ListedPrice, ConditionsThatAreNotUnderstoodMakeItUnknown) {
  for (const std::string odd :
       {R"({})", R"([{"prompt":"0.1"}])", R"([7])", R"([{"weekday":"monday","prompt":"0.1"}])",
        R"([{"min_prompt_tokens":0,"prompt":"0.1"}])", R"([{"min_prompt_tokens":"7"}])",
        R"([{"min_prompt_tokens":9,"utc_start":"01:00","utc_end":"02:00"}])",
        R"([{"min_prompt_tokens":9},{"min_prompt_tokens":8}])", R"([{"utc_start":"01:00"}])",
        R"([{"utc_start":"25:00","utc_end":"02:00"}])", R"([{"utc_start":1,"utc_end":2}])",
        R"([{"utc_start":"01:00","utc_end":"01:00"}])",
        R"([{"min_prompt_tokens":9,"utc_end":"1"}])",
        R"([{"min_prompt_tokens":9},{"utc_start":"01:00","utc_end":"02:00"}])",
        R"([{"min_prompt_tokens":9,"request":"0.1"}])"}) {
    EXPECT_TRUE(is_unknown(with(R"("overrides":)" + odd))) << odd;
  }
  EXPECT_FALSE(is_unknown(with(R"("overrides":[])")));
  EXPECT_FALSE(is_unknown(with(R"("overrides":null)")));
}

}  // namespace
}  // namespace sluice::providers
