// Repricing and reconciling, on a ledger that a gateway writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "telemetry/ledger_fixture.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/reconcile.h"
#include "telemetry/reprice.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::IsEmpty;

constexpr int64_t kDay = 20'780;  // 2026-11-23
constexpr int64_t kMicrosPerDay = 86'400'000'000;

class BooksTest : public LedgerTest {
 protected:
  void finish(const std::string& model, int64_t input, double provider_cost = 0) {
    Record r = record(&ledger_->target("openai", model, ""));
    r.usage = usage(input, 10);
    if (provider_cost > 0) r.usage.provider_cost = provider_cost;
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
  }
  RepriceReport reprice_all(const PriceTable& prices, RepriceQuery query = {}) {
    query.from_micros = kDay * kMicrosPerDay;
    query.to_micros = (kDay + 1) * kMicrosPerDay;
    auto database = store::Database::open(path());
    EXPECT_TRUE(database);
    double last = -1;
    auto report =
        reprice(*database, prices, query, {.name = "ann", .at_micros = 7}, [&last](double done) {
          EXPECT_GE(done, last);
          last = done;
        });
    EXPECT_TRUE(report) << report.error().message();
    EXPECT_EQ(last, 1);
    return report ? *report : RepriceReport{};
  }
  static PriceTable at_one_dollar() {
    PriceTable table = PriceTable::built_in();
    Price price;
    price.version = "new";
    price.base.input = 1'000'000'000;
    price.base.output = 0;
    table.set("openai", "gpt-5-mini", price);
    return table;
  }
};

TEST_F(BooksTest, PRICE_5_RepricingChangesRowsSumsAndLeavesARecord) {
  for (int i = 0; i < 2'500; ++i) finish("gpt-5-mini", 1'000'000);
  finish("gpt-5-nano", 1'000'000);
  ASSERT_TRUE(journal_->drain());
  const RepriceReport report = reprice_all(at_one_dollar(), {.model = "gpt-5-mini"});
  ASSERT_EQ(report.lines.size(), 1U);
  EXPECT_EQ(report.total.rows, 2'500);
  EXPECT_EQ(report.total.changed, 2'500);
  EXPECT_EQ(report.total.cost_before, 2'500 * 250'020'000LL);
  EXPECT_EQ(report.total.cost_after, 2'500 * 1'000'000'000LL);
  EXPECT_EQ(
      query("SELECT count(*) FROM exchange WHERE cost = 1000000000 AND price_version = 'new'"),
      2'500);
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost < 1000000000"), 1);
  EXPECT_THAT(verify_ledger(reader())->problems, IsEmpty());
  EXPECT_EQ(query("SELECT count(*) FROM repriced WHERE actor = 'ann' AND at_micros = 7 AND"
                  " rows = 2500 AND changed = 2500 AND cost_after = 2500000000000"
                  " AND model = 'gpt-5-mini' AND provider IS NULL"),
            1);
  EXPECT_EQ(reprice_all(at_one_dollar(), {.model = "gpt-5-mini"}).total.changed, 0)
      << "the same prices again change nothing";
}

TEST_F(BooksTest, ADryRunShowsTheSameAndChangesNothing) {
  finish("gpt-5-mini", 1'000'000);
  ASSERT_TRUE(journal_->drain());
  const RepriceReport report = reprice_all(at_one_dollar(), {.dry_run = true});
  EXPECT_EQ(report.total.changed, 1);
  EXPECT_EQ(report.total.cost_after, 1'000'000'000);
  EXPECT_EQ(query("SELECT cost FROM exchange"), 250'020'000);
  EXPECT_EQ(query("SELECT count(*) FROM repriced"), 0);
}

TEST_F(BooksTest, RepricingKeepsTheProvidersFigureUnlessAsked) {
  finish("gpt-5-mini", 1'000'000, 0.26);
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(reprice_all(at_one_dollar()).total.kept, 1);
  EXPECT_EQ(query("SELECT cost FROM exchange WHERE cost_source = 2"), 260'000'000);
  EXPECT_EQ(reprice_all(at_one_dollar(), {.provider_costs = true}).total.changed, 1);
  EXPECT_EQ(query("SELECT cost FROM exchange WHERE cost_source = 1 AND table_cost IS NULL"),
            1'000'000'000);
  EXPECT_THAT(verify_ledger(reader())->problems, IsEmpty());
}

TEST_F(BooksTest, RepricingPricesWhatHadNoPriceAndKeepsWhatHasNoneNow) {
  finish("mystery", 1'000'000);
  finish("gpt-5-mini", 1'000'000);
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT unpriced FROM usage_total WHERE model = 'mystery'"), 1);
  PriceTable table;
  Price price;
  price.version = "config";
  price.base.input = price.base.output = 0;
  table.set("openai", "mystery", price);
  const RepriceReport report = reprice_all(table);
  EXPECT_EQ(report.total.unpriced_before, 1);
  EXPECT_EQ(report.total.unpriced_after, 0);
  EXPECT_EQ(report.total.kept, 1) << "no price is no reason to forget one";
  EXPECT_EQ(query("SELECT unpriced FROM usage_total WHERE model = 'mystery'"), 0);
  EXPECT_THAT(verify_ledger(reader())->problems, IsEmpty());
}

TEST_F(BooksTest, AGatewayWritesOnWhileItsLedgerIsRepriced) {
  finish("gpt-5-mini", 1'000'000);
  ASSERT_TRUE(journal_->drain());
  reprice_all(at_one_dollar());
  finish("gpt-5-mini", 1'000'000);
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT sum(cost) FROM usage_total"), 1'000'000'000 + 250'020'000);
  EXPECT_THAT(verify_ledger(reader())->problems, IsEmpty());
}

ExportSums exported(const std::string& text) {
  std::istringstream in(text);
  auto sums = read_export(in, ExportFormat::Auto, [](int64_t) {});
  EXPECT_TRUE(sums) << sums.error().message();
  return sums ? *sums : ExportSums{};
}

std::string openai_day(int64_t requests, int64_t input, int64_t output) {
  return R"({"data":[{"start_time":1795392000,"results":[{"num_model_requests":)" +
         std::to_string(requests) + R"(,"input_tokens":)" + std::to_string(input) +
         R"(,"input_cached_tokens":0,"output_tokens":)" + std::to_string(output) +
         R"(,"model":"gpt-5-mini-2025-08-07"}]}]})";
}

TEST_F(BooksTest, TOK_9_ReconcileListsDifferencesPerModelAndDayBeyondTheTolerance) {
  for (int i = 0; i < 100; ++i) finish("gpt-5-mini", 1'000);
  clock_.now += 86'400 * kSecond;
  finish("gpt-5-mini", 5);
  ASSERT_TRUE(journal_->drain());
  const auto compared = [&](const std::string& text, int64_t tolerance_ppm) {
    auto report = reconcile(reader(), exported(text),
                            {.provider = "openai", .tolerance_ppm = tolerance_ppm}, [](double) {});
    EXPECT_TRUE(report) << report.error().message();
    return *report;
  };
  EXPECT_THAT(compared(openai_day(100, 100'000, 1'000), 0).beyond, IsEmpty())
      << "the days that the export is about";
  const ReconcileReport off = compared(openai_day(100, 101'000, 1'000), 0);
  ASSERT_EQ(off.beyond.size(), 1U);
  EXPECT_EQ(off.beyond[0].of, (DayModel{kDay, "gpt-5-mini"}));
  EXPECT_EQ(off.beyond[0].figure, Figure::Prompt);
  EXPECT_EQ(off.beyond[0].ledger, 100'000);
  EXPECT_EQ(off.beyond[0].provider, 101'000);
  EXPECT_THAT(compared(openai_day(100, 101'000, 1'000), 10'000).beyond, IsEmpty()) << "1 %";
  EXPECT_EQ(compared(openai_day(99, 98'000, 1'000), 10'000).beyond.size(), 1U);
}

TEST_F(BooksTest, TOK_9_WhatOnlyOneSideHasIsADifference) {
  finish("gpt-5-nano", 1'000);
  ASSERT_TRUE(journal_->drain());
  const auto report = reconcile(reader(), exported(openai_day(1, 1'000, 10)),
                                {.provider = "openai"}, [](double) {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->beyond.size(), 6U);
  EXPECT_EQ(report->compared, 2);
  const auto other =
      reconcile(reader(), exported(openai_day(1, 1'000, 10)), {.provider = "eu"}, [](double) {});
  EXPECT_EQ(other->ledger, Figures{});
}

}  // namespace
}  // namespace sluice::telemetry
