#include "telemetry/price.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'795'424'461'000'000;  // 2026-11-23T09:01:01Z
constexpr int64_t kDollar = 1'000'000'000;

Price flat(int64_t input, int64_t output) {
  Price price;
  price.version = "config";
  price.base.input = input;
  price.base.output = output;
  return price;
}

chat::Usage tokens(int64_t input, int64_t output) {
  chat::Usage usage;
  usage.plain_input = input;
  usage.visible_output = output;
  return usage;
}

Charge charge(const Price* price, const chat::Usage& usage,
              UsageSource source = UsageSource::Reported) {
  return charge_for(price, usage, source, Delivered::Something, kNow);
}

TEST(Price, TOK_2_AnthropicCacheWriteIsBilledOnce) {
  Price sonnet = flat(3 * kDollar, 15 * kDollar);
  sonnet.base.cache_write = 3'750'000'000;
  sonnet.base.cached_input = 300'000'000;
  chat::Usage usage = tokens(3, 550);
  usage.cache_write = 12'304;
  const Charge bill = charge(&sonnet, usage);
  EXPECT_EQ(bill.cost, 54'399'000);  // $0.054399
  EXPECT_EQ(bill.source, CostSource::Tokens);
  EXPECT_EQ(bill.notes, 0U);
}

TEST(Price, TOK_4_EachCacheWriteHasItsOwnRate) {
  Price price = flat(1 * kDollar, 0);
  price.base.cache_write = 2 * kDollar;
  price.base.cache_write_1h = 5 * kDollar;
  chat::Usage usage;
  usage.cache_write = 1'000'000;
  usage.cache_write_1h = 1'000'000;
  EXPECT_EQ(charge(&price, usage).cost, 7 * kDollar);
}

TEST(Price, TOK_5_ReasoningIsBilledOnceAsOutput) {
  const Price price = flat(0, 10 * kDollar);
  chat::Usage usage = tokens(0, 100);
  usage.reasoning = 900;
  EXPECT_EQ(charge(&price, usage).cost, 10'000'000);
}

TEST(Price, TOK_7_MissingCacheRatesFallBackToInputAndTheRowSaysSo) {
  const Price price = flat(2 * kDollar, 8 * kDollar);
  chat::Usage usage = tokens(0, 0);
  usage.cache_read = 500'000;
  usage.cache_write = 250'000;
  usage.cache_write_1h = 250'000;
  const Charge bill = charge(&price, usage);
  EXPECT_EQ(bill.cost, 2 * kDollar);
  EXPECT_EQ(bill.notes, kCacheReadAtInput | kCacheWriteAtInput);
  EXPECT_EQ(charge(&price, tokens(1, 1)).notes, 0U) << "only where it mattered";
}

TEST(Price, TOK_8_LongContextRatesBeginAboveTheStep) {
  const PriceTable table = PriceTable::built_in();
  const Price* haiku = table.find("anthropic", "claude-haiku-5-5").price;
  ASSERT_NE(haiku, nullptr);
  const Charge below = charge(haiku, tokens(100'000, 1'000'000));
  EXPECT_EQ(below.cost, 10'000'000 + 500'000'000);
  EXPECT_EQ(below.notes & kLongContext, 0U);
  const Charge above = charge(haiku, tokens(100'001, 1'000'000));
  EXPECT_EQ(above.cost, 50'000'500 + 2'500'000'000);
  EXPECT_NE(above.notes & kLongContext, 0U);
}

TEST(Price, TOK_8_CachedTokensCountTowardsTheStep) {
  const PriceTable table = PriceTable::built_in();
  const Price* sol = table.find("openai", "gpt-6-sol").price;
  ASSERT_NE(sol, nullptr);
  chat::Usage usage = tokens(1, 0);
  usage.cache_read = 272'000;
  EXPECT_NE(charge(sol, usage).notes & kLongContext, 0U);
  usage.plain_input = 0;
  EXPECT_EQ(charge(sol, usage).notes & kLongContext, 0U);
}

TEST(Price, ScheduledRatesBeginAtTheirDay) {
  const PriceTable table = PriceTable::built_in();
  const Price* flash = table.find("google", "gemini-3.8-flash").price;
  ASSERT_NE(flash, nullptr);
  constexpr int64_t kNewYear = 1'798'761'600'000'000;  // 2027-01-01T00:00:00Z
  EXPECT_EQ(cost_of_tokens(*flash, tokens(1'000'000, 0), kNewYear - 1).cost, 750'000'000);
  EXPECT_EQ(cost_of_tokens(*flash, tokens(1'000'000, 0), kNewYear).cost, 1'500'000'000);
}

TEST(Price, PeakHoursHaveTheirOwnRates) {
  const PriceTable table = PriceTable::built_in();
  const Price* deepseek = table.find("deepseek", "deepseek-v4-pro").price;
  ASSERT_NE(deepseek, nullptr);
  constexpr int64_t kHour = 3'600'000'000;
  constexpr int64_t kMidnight = 1'795'392'000'000'000;
  const auto at = [&](int64_t when) {
    return cost_of_tokens(*deepseek, tokens(1'000'000, 0), when).cost;
  };
  EXPECT_EQ(at(kMidnight + 1 * kHour - 1), 660'000'000);
  EXPECT_EQ(at(kMidnight + 1 * kHour), 1'320'000'000);
  EXPECT_EQ(at(kMidnight + 4 * kHour), 660'000'000);
  EXPECT_EQ(at(kMidnight + 9 * kHour), 1'320'000'000);
}

TEST(Price, COST_1_StreamedAndBufferedCallsCostTheSame) {
  // One function, from the usage alone: it cannot know how the reply travelled.
  const Price price = flat(250'000'000, 2 * kDollar);
  const chat::Usage usage = tokens(812, 230);
  EXPECT_EQ(charge(&price, usage).cost, charge(&price, usage).cost);
  EXPECT_EQ(charge(&price, usage).cost, 663'000);
}

TEST(Price, COST_7_AProvidersFigureCountsOnlyWhenPositive) {
  const Price price = flat(kDollar, kDollar);
  chat::Usage usage = tokens(1000, 1000);
  EXPECT_EQ(charge(&price, usage).source, CostSource::Tokens);
  for (const double useless : {0.0, -1.0}) {
    usage.provider_cost = useless;
    EXPECT_EQ(charge(&price, usage).source, CostSource::Tokens) << useless;
    EXPECT_EQ(charge(&price, usage).cost, 2'000'000);
    EXPECT_EQ(charge(&price, usage).table_cost, std::nullopt);
  }
  usage.provider_cost = 0.00314;
  const Charge bill = charge(&price, usage);
  EXPECT_EQ(bill.source, CostSource::Provider);
  EXPECT_EQ(bill.cost, 3'140'000);
  EXPECT_EQ(bill.table_cost, 2'000'000) << "the estimate stands beside it";
}

TEST(Price, PRICE_1_AMissingPriceIsUnknownNeverZero) {
  const Charge bill = charge(nullptr, tokens(1000, 1000));
  EXPECT_EQ(bill.cost, std::nullopt);
  EXPECT_EQ(bill.source, CostSource::Unpriced);
  EXPECT_EQ(name_of(bill.source), "unpriced");
}

TEST(PriceTable, APriceOfOnesOwnStandsAboveTheProvidersListAndThatAboveTheCatalog) {
  PriceTable table = PriceTable::built_in();
  const auto input_of = [&](std::string_view provider) -> int64_t {
    const Price* price = table.find(provider, "openai/gpt-6-sol").price;
    return price == nullptr ? -1 : *price->base.input;
  };
  EXPECT_EQ(input_of("openrouter"), 2 * kDollar) << "what the vendor asks, from the catalog";
  table.set_listed("openrouter", "openai/gpt-6-sol", flat(3 * kDollar, 12 * kDollar));
  EXPECT_EQ(input_of("openrouter"), 3 * kDollar);
  EXPECT_EQ(input_of("another"), 2 * kDollar) << "a list is of its provider alone";
  table.set_listed("openrouter", "openai/gpt-6-sol", std::nullopt);
  EXPECT_EQ(input_of("openrouter"), -1) << "a price that varies is known by nobody else";
  table.set("openrouter", "openai/gpt-6-sol", flat(7 * kDollar, 7 * kDollar));
  EXPECT_EQ(input_of("openrouter"), 7 * kDollar);
}

TEST(Price, PRICE_3_AnExplicitZeroIsAPrice) {
  PriceTable table = PriceTable::built_in();
  EXPECT_EQ(table.find("ollama", "qwen3:8b").price, nullptr);
  table.set("ollama", "qwen3:8b", flat(0, 0));
  const Charge bill = charge(table.find("ollama", "qwen3:8b").price, tokens(1000, 1000));
  EXPECT_EQ(bill.cost, 0);
  EXPECT_EQ(bill.source, CostSource::Tokens);
}

TEST(Price, DISC_6_FailureBeforeAnyOutputCostsNothing) {
  const Price price = flat(kDollar, kDollar);
  const Charge bill = charge_for(&price, {}, UsageSource::None, Delivered::Nothing, kNow);
  EXPECT_EQ(bill.cost, 0);
  EXPECT_EQ(bill.source, CostSource::None);
  const Charge reported =
      charge_for(&price, tokens(1000, 0), UsageSource::Reported, Delivered::Nothing, kNow);
  EXPECT_EQ(reported.cost, 1'000'000) << "unless the provider says otherwise";
}

TEST(Price, OutputWithoutUsageIsUnknown) {
  const Charge bill = charge_for(nullptr, {}, UsageSource::None, Delivered::Something, kNow);
  EXPECT_EQ(bill.cost, std::nullopt);
}

TEST(Price, RoundsHalfUpOnce) {
  const Price price = flat(500'000, 0);  // half a nano-dollar per token
  EXPECT_EQ(charge(&price, tokens(1, 0)).cost, 1);
  EXPECT_EQ(charge(&price, tokens(2, 0)).cost, 1);
  EXPECT_EQ(charge(&price, tokens(3, 0)).cost, 2);
}

TEST(Price, DoesNotOverflow) {
  const Price price = flat(1000 * kDollar, 0);
  EXPECT_EQ(charge(&price, tokens(1'000'000'000'000, 0)).cost, 1'000'000'000 * kDollar);
}

TEST(PriceTable, KnowsTheOtherNamesOfAModel) {
  const PriceTable table = PriceTable::built_in();
  const Price* mini = table.find("openai", "gpt-5-mini").price;
  ASSERT_NE(mini, nullptr);
  EXPECT_EQ(mini->version, "catalog 2026-11-23");
  EXPECT_EQ(table.find("openai", "gpt-5-mini-2025-08-07").price, mini);
  EXPECT_EQ(table.find("openrouter", "openai/gpt-5-mini").price, mini);
  EXPECT_EQ(table.find("my-openai", "gpt-5-mini", "openai").price, mini);
  EXPECT_EQ(table.find("openai", "gpt-5-mini", "openai").notes, 0U);
  const Price* sonnet = table.find("anthropic", "claude-sonnet-4-5").price;
  ASSERT_NE(sonnet, nullptr);
  EXPECT_EQ(table.find("anthropic", "claude-sonnet-4-5-20250929").price, sonnet);
  EXPECT_EQ(table.find("openrouter", "anthropic/claude-sonnet-4.5").price, sonnet);
  EXPECT_NE(table.find("openrouter", "z-ai/glm-5.3").price, nullptr);
}

TEST(PriceTable, SaysWhenItGuessedTheVendor) {
  const PriceTable table = PriceTable::built_in();
  const auto found = table.find("portkey", "gpt-4o-2024-08-06");
  ASSERT_NE(found.price, nullptr);
  EXPECT_EQ(found.notes, static_cast<uint32_t>(kVendorByModel));
}

TEST(PriceTable, GuessesNoPriceFromALikeness) {
  const PriceTable table = PriceTable::built_in();
  for (const char* name :
       {"gpt-5-mini-2025", "gpt-5-minim", "gpt-5-mini:free", "unknown/gpt-5-mini", "", "gpt"}) {
    EXPECT_EQ(table.find("openai", name).price, nullptr) << name;
  }
}

TEST(PriceTable, AnOperatorsPriceWinsForItsTargetOnly) {
  PriceTable table = PriceTable::built_in();
  const Price* listed = table.find("openai", "gpt-5-mini").price;
  table.set("openai", "gpt-5-mini", flat(1, 1));
  EXPECT_EQ(table.find("openai", "gpt-5-mini").price->version, "config");
  EXPECT_EQ(table.find("openrouter", "openai/gpt-5-mini").price, listed);
}

TEST(PriceTable, RefusesGarbageByName) {
  EXPECT_FALSE(PriceTable::parse("{"));
  EXPECT_FALSE(PriceTable::parse("[]"));
  const auto negative = PriceTable::parse(
      R"({"_meta":{"as_of":"2026-01-01"},"models":[{"id":"m","provider":"p","input":-1,"output":1}]})");
  ASSERT_FALSE(negative);
  EXPECT_THAT(negative.error().message(), HasSubstr("p/m: input is no price"));
  EXPECT_FALSE(PriceTable::parse(
      R"({"_meta":{"as_of":"2026-01-01"},"models":[{"id":"m","provider":"p","input":null,"output":1}]})"));
  EXPECT_FALSE(PriceTable::parse(R"({"_meta":{"as_of":"soon"},"models":[]})"));
}

TEST(PriceTable, BuiltInIsWhole) {
  const PriceTable table = PriceTable::built_in();
  EXPECT_EQ(table.size(), 67U);
  EXPECT_EQ(table.as_of_micros(), 1'795'392'000'000'000);
}

}  // namespace
}  // namespace sluice::telemetry
