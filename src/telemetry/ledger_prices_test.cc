// What rows say of prices.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/ledger_fixture.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::HasSubstr;

TEST_F(LedgerTest, PRICE_1_UnpricedIsNullCountedAndLoggedOncePerModel) {
  const TargetMeters& target = ledger_->target("lab", "mystery", "");
  for (int i = 0; i < 5; ++i) {
    Record r = record(&target);
    r.answered_model = "mystery-2";
    r.usage = usage(10, 10);
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
  }
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost IS NULL AND cost_source = 3"), 5);
  EXPECT_EQ(metric("llm_unpriced_requests_total", "model=\"mystery\""), 5);
  EXPECT_EQ(metric("llm_cost_dollars_total", "", 9), 0);
  lines_->flush();
  const std::string log = read_file("log");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
  EXPECT_THAT(log, HasSubstr("no price for this model"));
  auto report = usage_report(reader(), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->total.unpriced, 5);
}

TEST_F(LedgerTest, PRICE_5_OldPricesAreKeptAsLongAsARowMayPointAtThem) {
  const auto table_of = [](int64_t rate, std::string version) {
    PriceTable table;
    Price price;
    price.version = std::move(version);
    price.base.input = price.base.output = rate;
    table.set("openrouter", "a/b", price);
    return std::make_shared<const PriceTable>(std::move(table));
  };
  const TargetMeters& target = ledger_->target("openrouter", "a/b", "");
  std::vector<std::weak_ptr<const PriceTable>> tables;
  for (int i = 0; i < 4; ++i) {
    auto table = table_of(1'000'000'000LL * (i + 1), "list " + std::to_string(i));
    tables.emplace_back(table);
    ledger_->use_prices(std::move(table));
    clock_.now += kSecond;
    Record r = record(&target);
    r.usage = usage(1'000'000, 0);
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
    if (i == 2) ASSERT_TRUE(journal_->drain());
  }
  EXPECT_TRUE(tables[0].expired()) << "its rows are stored";
  EXPECT_FALSE(tables[2].expired());
  ASSERT_TRUE(journal_->drain());
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(
        query("SELECT count(*) FROM exchange e JOIN name n ON n.id = e.price_version"
              " WHERE n.text = 'list " +
              std::to_string(i) + "' AND e.cost = " + std::to_string(1'000'000'000LL * (i + 1))),
        1)
        << i;
  }
}

TEST_F(LedgerTest, PRICE_4_TheProvidersTotalWinsTheTablesStandsBesideItAndDriftIsToldOnce) {
  const TargetMeters& target = ledger_->target("openrouter", "openai/gpt-5-mini", "");
  for (const bool stream : {false, true, true}) {
    Record r = record(&target);
    r.stream = stream;
    if (stream) r.ttft_micros = 1'000;
    r.usage = usage(1'000'000, 0);
    r.usage.provider_cost = 0.3;
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
  }
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 300000000 AND cost_source = 2 AND"
                  " table_cost = 250000000 AND price_notes & 2048"),
            3);
  EXPECT_EQ(metric("llm_price_drift_total"), 3);
  lines_->flush();
  const std::string log = read_file("log");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
  EXPECT_THAT(log, HasSubstr("more than 5 % off"));
  EXPECT_THAT(log, HasSubstr(R"("provider_usd":"0.3","table_usd":"0.25")"));
}

TEST_F(LedgerTest, TOK_6_TierUpstreamChargeAndCreditsHaveColumnsOfTheirOwn) {
  Record r = record(&ledger_->target("openrouter", "openai/gpt-5-mini", ""));
  r.usage = usage(1'000'000, 0);
  r.usage.provider_cost = 0.0125;
  r.usage.own_key = true;
  r.usage.upstream_cost = 0.25;
  r.usage.tier = chat::ServiceTier::Flex;
  r.usage_source = UsageSource::Reported;
  ledger_->finish(0, std::move(r));
  Record plain = record(&ledger_->target("openai", "gpt-5-mini", ""));
  plain.usage = usage(1, 0);
  plain.usage_source = UsageSource::Reported;
  ledger_->finish(0, std::move(plain));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 12500000 AND"
                  " upstream_cost = 250000000 AND service_tier = 3 AND credits IS NULL"),
            1);
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE upstream_cost IS NULL AND"
                  " service_tier IS NULL"),
            1);
}

TEST_F(LedgerTest, PRICE_7_RowsAndReportsHaveCreditsAndDollars) {
  PriceTable table = PriceTable::built_in();
  Price price;
  price.version = "config";
  price.unit = Unit::Credits;
  price.base.input = 1'210'000'000;
  price.base.output = 0;
  table.set("cortex", "llama3.3-70b", price);
  table.set_credit_price(2'000'000'000);
  ledger_->use_prices(std::make_shared<const PriceTable>(std::move(table)));
  Record r = record(&ledger_->target("cortex", "llama3.3-70b", ""));
  r.usage = usage(1'000'000, 10);
  r.usage_source = UsageSource::Reported;
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT credits FROM exchange WHERE cost = 2420000000"), 1'210'000'000);
  const auto report = usage_report(reader(), {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->total.credits, 1'210'000'000);
  EXPECT_EQ(report->total.cost, 2'420'000'000);
}

TEST_F(LedgerTest, AMarkUpIsChargedAndNoPartOfTheCost) {
  PriceTable table = PriceTable::built_in();
  table.set_terms("openai", {.markup_ppm = 125'000});
  ledger_->use_prices(std::make_shared<const PriceTable>(std::move(table)));
  Record r = record(&ledger_->target("openai", "gpt-5-mini", ""));
  r.usage = usage(1'000'000, 0);
  r.usage_source = UsageSource::Reported;
  const Charge charge = ledger_->finish(0, std::move(r));
  EXPECT_EQ(charge.cost, 250'000'000);
  EXPECT_EQ(charge.charged, 281'250'000);
}

TEST_F(LedgerTest, PRICE_5_RowsKeepTheirPriceAndSayItsVersion) {
  const TargetMeters& target = ledger_->target("openai", "gpt-5-mini", "");
  const auto finish = [&] {
    Record r = record(&target);
    r.usage = usage(1'000'000, 0);
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
  };
  finish();
  PriceTable table = PriceTable::built_in();
  Price dearer;
  dearer.version = "config";
  dearer.base.input = 1'000'000'000;
  dearer.base.output = 0;
  table.set("openai", "gpt-5-mini", dearer);
  ledger_->use_prices(std::make_shared<const PriceTable>(std::move(table)));
  finish();
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 250000000 AND price_version ="
                  " (SELECT id FROM name WHERE text = 'catalog 2026-11-23')"),
            1);
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 1000000000 AND price_version ="
                  " (SELECT id FROM name WHERE text = 'config')"),
            1);
}

TEST_F(LedgerTest, PRICE_3_AnExplicitZeroStaysZeroAfterARestart) {
  PriceTable table = PriceTable::built_in();
  Price free;
  free.version = "config";
  free.base.input = 0;
  free.base.output = 0;
  table.set("ollama", "qwen3", free);
  prices_ = std::make_shared<const PriceTable>(std::move(table));
  for (int run = 0; run < 2; ++run) {
    stop();
    start();
    Record r = record(&ledger_->target("ollama", "qwen3", ""));
    r.usage = usage(10, 10);
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
    ASSERT_TRUE(journal_->drain());
  }
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 0 AND cost_source = 1"), 2);
  EXPECT_EQ(metric("llm_unpriced_requests_total"), 0);
}

}  // namespace
}  // namespace sluice::telemetry
