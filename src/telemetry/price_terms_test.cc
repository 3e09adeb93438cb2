// Service tiers, mark-ups, own accounts, credits and drift.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/price.h"

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

chat::Usage at_tier(chat::ServiceTier tier, int64_t input) {
  chat::Usage usage = tokens(input, 1'000'000);
  usage.tier = tier;
  return usage;
}

TEST(Price, TOK_8_ServiceTiersHaveTheirOwnRatesOnBothSidesOfTheStep) {
  const auto table = PriceTable::parse(R"({"_meta":{"as_of":"2026-11-23"},"models":[
    {"id":"m","provider":"openai","input":2,"cached_input":0.2,"output":10,
     "long_context":[{"above_prompt_tokens":200000,"input":4,"output":15}],
     "service_tiers":{
       "batch":{"input":1,"output":5,
                "long_context":[{"above_prompt_tokens":200000,"input":2,"output":7.5}]},
       "flex":{"input":1,"output":5},
       "priority":{"input":4,"output":20}}}]})");
  ASSERT_TRUE(table) << table.error().message();
  const Price* price = table->find("openai", "m").price;
  ASSERT_NE(price, nullptr);
  struct Case {
    chat::ServiceTier tier;
    int64_t below;  // 200'000 tokens in, a million out
    int64_t above;  // one token more
    uint32_t notes_below;
    uint32_t notes_above;
  };
  using chat::ServiceTier;
  const Case cases[] = {
      {ServiceTier::Unsaid, 10'400'000'000, 15'800'004'000, 0, kLongContext},
      {ServiceTier::Standard, 10'400'000'000, 15'800'004'000, 0, kLongContext},
      {ServiceTier::Batch, 5'200'000'000, 7'900'002'000, kTier, kTier | kLongContext},
      // What nobody stated is billed at the standard rate, and the row says so.
      {ServiceTier::Flex, 5'200'000'000, 15'800'004'000, kTier,
       kTier | kTierAtStandard | kLongContext},
      {ServiceTier::Priority, 20'800'000'000, 15'800'004'000, kTier,
       kTier | kTierAtStandard | kLongContext},
      {ServiceTier::Fast, 10'400'000'000, 15'800'004'000, kTierAtStandard,
       kTierAtStandard | kLongContext},
  };
  for (const Case& c : cases) {
    const Charge below = charge(price, at_tier(c.tier, 200'000));
    const Charge above = charge(price, at_tier(c.tier, 200'001));
    EXPECT_EQ(below.cost, c.below) << name_of(c.tier);
    EXPECT_EQ(above.cost, c.above) << name_of(c.tier);
    EXPECT_EQ(below.notes, c.notes_below) << name_of(c.tier);
    EXPECT_EQ(above.notes, c.notes_above) << name_of(c.tier);
  }
}

TEST(Price, TOK_8_ATierNobodyKnowsIsRefusedByTheCatalog) {
  for (const char* tier : {"default", "cheap", ""}) {
    const auto table = PriceTable::parse(
        R"({"_meta":{"as_of":"2026-11-23"},"models":[{"id":"m","provider":"p","input":1,)"
        R"("output":1,"service_tiers":{")" +
        std::string(tier) + R"(":{"input":1}}}]})");
    ASSERT_FALSE(table) << tier;
    EXPECT_THAT(table.error().message(), HasSubstr("is no tier"));
  }
}

TEST(Price, MarkUpIsExactToAHundredthOfABasisPointAndLeavesTheCost) {
  const Price price = flat(kDollar, kDollar);
  const auto charged = [&price](const chat::Usage& usage, int32_t ppm) {
    const Charge bill = charge(&price, usage);
    EXPECT_EQ(bill.cost, usage.input() * 1000);
    return charged_for(bill, false, {.markup_ppm = ppm});
  };
  EXPECT_EQ(charged(tokens(1, 0), 0), 1'000);
  EXPECT_EQ(charged(tokens(1, 0), 125'000), 1'125);  // 12.5 %
  EXPECT_EQ(charged(tokens(1, 0), 499), 1'000);      // 0.0499 %: rounded half up
  EXPECT_EQ(charged(tokens(1, 0), 500), 1'001);
  EXPECT_EQ(charged(tokens(100'000'000'000, 0), 1), 100'000'100'000'000);
  EXPECT_EQ(charged_for(charge(nullptr, tokens(1, 1)), false, {.markup_ppm = 1'000}), std::nullopt)
      << "of an unknown cost";
}

TEST(Price, TOK_6_PlatformAndUpstreamChargesAreApartAndOnlyTheTermsAddThem) {
  const Price price = flat(kDollar, kDollar);
  chat::Usage usage = tokens(1000, 1000);
  usage.provider_cost = 0.0001;
  usage.own_key = true;
  usage.upstream_cost = 0.002;
  const Charge bill = charge(&price, usage);
  EXPECT_EQ(bill.cost, 100'000);
  EXPECT_EQ(bill.upstream_cost, 2'000'000);
  EXPECT_EQ(bill.table_cost, 2'000'000);
  EXPECT_EQ(bill.notes, 0U) << "the table is held against what the upstream took";
  EXPECT_EQ(charged_for(bill, true, {.upstream_counts = true}), 2'100'000);
  EXPECT_EQ(charged_for(bill, true, {.markup_ppm = 100'000, .upstream_counts = false}), 110'000);
  usage.own_key = false;
  usage.upstream_cost.reset();
  const Charge plain = charge(&price, usage);
  EXPECT_EQ(plain.upstream_cost, std::nullopt);
  EXPECT_EQ(charged_for(plain, false, {}), plain.cost);
}

TEST(Price, TOK_6_AnUpstreamChargeThatIsNotToldIsEstimatedOrUnknown) {
  const Price price = flat(kDollar, kDollar);
  chat::Usage usage = tokens(1000, 1000);
  usage.provider_cost = 0;
  usage.own_key = true;
  const Charge estimated = charge(&price, usage);
  EXPECT_EQ(estimated.cost, 0) << "the intermediary took nothing";
  EXPECT_EQ(estimated.source, CostSource::Provider);
  EXPECT_EQ(estimated.upstream_cost, 2'000'000);
  EXPECT_EQ(estimated.notes, kUpstreamByTable);
  const Charge unknown = charge(nullptr, usage);
  EXPECT_EQ(unknown.cost, 0);
  EXPECT_EQ(charged_for(unknown, true, {}), std::nullopt);
}

TEST(Price, PRICE_7_CreditsAreCountedAndTurnedIntoDollarsAtTheContractsRate) {
  auto table = PriceTable::parse(R"({"_meta":{"as_of":"2026-11-23"},"models":[
    {"id":"llama3.3-70b","provider":"snowflake","unit":"credits","input":1.21,"output":1.21}]})");
  ASSERT_TRUE(table) << table.error().message();
  const auto bill = [&] {
    return charge(table->find("cortex", "llama3.3-70b", "snowflake").price, tokens(1'000'000, 0));
  };
  EXPECT_EQ(bill().credits, 1'210'000'000);
  EXPECT_EQ(bill().cost, std::nullopt) << "nobody said what a credit costs";
  EXPECT_EQ(bill().source, CostSource::Unpriced);
  table->set_credit_price(2'650'000'000);
  EXPECT_EQ(bill().credits, 1'210'000'000);
  EXPECT_EQ(bill().cost, 3'206'500'000);
  EXPECT_EQ(charge(table->find("cortex", "llama3.3-70b", "snowflake").price, tokens(1, 0)).cost,
            3'207)
      << "rounded once, from tokens to dollars";
  EXPECT_EQ(charge(nullptr, tokens(1, 0)).credits, std::nullopt);
}

TEST(Price, PRICE_4_AProvidersTotalMoreThanFivePercentOffIsADrift) {
  const Price price = flat(kDollar, kDollar);
  chat::Usage usage = tokens(1'000'000, 0);
  const auto drifts = [&](double told) {
    usage.provider_cost = told;
    return (charge(&price, usage).notes & kPriceDrift) != 0;
  };
  EXPECT_FALSE(drifts(1.05));
  EXPECT_TRUE(drifts(1.0500001));
  EXPECT_FALSE(drifts(0.95));
  EXPECT_TRUE(drifts(0.9499999));
  usage = tokens(2, 0);
  EXPECT_FALSE(drifts(0.000003)) << "a rounded figure is no drift";
}

}  // namespace
}  // namespace sluice::telemetry
