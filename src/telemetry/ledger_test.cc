#include "telemetry/ledger.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/ledger_fixture.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(LedgerTest, WritesOneRowWithEverythingInIt) {
  const TargetMeters& target = ledger_->target("openai", "gpt-5-mini", "tier2");
  Record r = record(&target);
  const std::string id = r.request_id;
  r.answered_model = "gpt-5-mini-2025-08-07";
  r.user = "ann";
  r.usage = usage(812, 230);
  r.usage.cache_read = 100;
  r.usage_source = UsageSource::Reported;
  r.ttft_micros = 4'000;
  r.stream = true;
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(text("SELECT concat FROM (SELECT (SELECT text FROM name WHERE id = provider) || ' ' ||"
                 " (SELECT text FROM name WHERE id = model) || ' ' ||"
                 " (SELECT text FROM name WHERE id = alias) || ' ' ||"
                 " (SELECT text FROM name WHERE id = answered_model) || ' ' ||"
                 " (SELECT text FROM name WHERE id = outcome) || ' ' ||"
                 " (SELECT text FROM name WHERE id = price_version) || ' ' || user AS concat"
                 " FROM exchange)"),
            "openai gpt-5-mini tier2 gpt-5-mini-2025-08-07 ok catalog 2026-11-23 ann");
  EXPECT_EQ(text("SELECT hex(trace_id) FROM exchange"), "4BF92F3577B34DA6A3CE929D0E0E4736");
  EXPECT_EQ(query("SELECT cost FROM exchange"), 812 * 250 + 100 * 25 + 230 * 2000);
  const RequestIdParts parts{static_cast<uint64_t>(query("SELECT key FROM exchange")),
                             static_cast<uint64_t>(query("SELECT request_tail FROM exchange"))};
  EXPECT_EQ(format_request_id(parts), id);
  EXPECT_EQ(query("SELECT attempts IS NULL AND error IS NULL AND slim = 0 FROM exchange"), 1);
  EXPECT_EQ(query("SELECT ttft FROM exchange"), 4'000);
}

TEST_F(LedgerTest, WritesTheAccessLineFromTheSameRecord) {
  Record r = record(&ledger_->target("openai", "gpt-5-mini", "tier2"));
  r.request_id = "req_1";
  r.usage = usage(10, 2);
  r.usage_source = UsageSource::Reported;
  ledger_->finish(0, std::move(r));
  Record failed = record(nullptr);
  failed.request_id = "req_2";
  failed.asked_model = "no \"such\" model";
  failed.outcome = Outcome::ModelNotFound;
  failed.status = 404;
  failed.error = "no model of that name";
  ledger_->finish(0, std::move(failed));
  access_->flush();
  EXPECT_EQ(
      read_file("access.log"),
      R"({"ts":"2026-11-23T09:01:02.013Z","level":"info","msg":"exchange","request_id":"req_1","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","endpoint":"chat","alias":"tier2","provider":"openai","model":"gpt-5-mini","status":200,"outcome":"ok","stream":false,"ms":12.345,"ttft_ms":null,"upstream_ms":12,"overhead_us":31,"tokens_in":10,"tokens_out":2,"usage_source":"reported","cost_usd":0.0000065,"cost_source":"tokens","attempts":1}
{"ts":"2026-11-23T09:01:02.013Z","level":"info","msg":"exchange","request_id":"req_2","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","endpoint":"chat","alias":"","provider":"","model":"","asked_model":"no \"such\" model","status":404,"outcome":"model_not_found","stream":false,"ms":12.345,"ttft_ms":null,"upstream_ms":12,"overhead_us":31,"tokens_in":null,"tokens_out":null,"usage_source":"none","cost_usd":0,"cost_source":"none","attempts":0,"error":"no model of that name"}
)");
}

TEST_F(LedgerTest, COST_1_StreamedAndBufferedLeaveTheSameTokensAndCost) {
  const TargetMeters& target = ledger_->target("anthropic", "claude-sonnet-4-5", "");
  for (const bool stream : {false, true}) {
    Record r = record(&target);
    r.stream = stream;
    if (stream) r.ttft_micros = 1'000;
    r.usage = usage(3, 550);
    r.usage.cache_write = 12'304;
    r.usage.reasoning = 7;
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
  }
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM (SELECT DISTINCT plain_input, cache_read, cache_write,"
                  " visible_output, reasoning, cost, cost_source FROM exchange)"),
            1);
  EXPECT_EQ(query("SELECT count(DISTINCT stream) FROM exchange"), 2);
}

TEST_F(LedgerTest, DISC_6_FailureBeforeAnyOutputCostsNothing) {
  Record r = record(&ledger_->target("openai", "gpt-5-mini", ""));
  r.outcome = Outcome::ConnectError;
  r.attempts[0].outcome = Outcome::ConnectError;
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 0 AND cost_source = 0 AND"
                  " usage_source = 0"),
            1);
}

TEST_F(LedgerTest, FailedAttemptsArePaidForAtTheirOwnPricesAndUnknownOnesAreCounted) {
  const TargetMeters& mini = ledger_->target("openai", "gpt-5-mini", "");
  const TargetMeters& nano = ledger_->target("openai", "gpt-5-nano", "");
  Record r = record(&mini);
  r.outcome = Outcome::Ok;
  r.usage = usage(1000, 1000);
  r.usage_source = UsageSource::Reported;
  const Record cheap = record(&nano);
  const Attempt answered = r.attempts[0];
  r.attempts = {{.target = "openai/gpt-5-nano",
                 .outcome = Outcome::UpstreamReset,
                 .duration_micros = 1,
                 .spent = ledger_->spent_by(cheap, usage(2000, 0), UsageSource::Estimated)},
                {.target = "openai/gpt-5-nano",
                 .outcome = Outcome::FirstByteTimeout,
                 .duration_micros = 2,
                 .spent = ledger_->spent_by(cheap, {}, UsageSource::None)},
                {.target = "openai/gpt-5-nano", .outcome = Outcome::ConnectError},
                answered};
  EXPECT_EQ(ledger_->charge_of(r).cost, 2'250'000 + 100'000);
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT cost FROM exchange"), 2'250'000 + 100'000);
  EXPECT_EQ(query("SELECT attempts_cost FROM exchange"), 100'000);
  EXPECT_EQ(query("SELECT attempts_unknown FROM exchange"), 1);
  EXPECT_EQ(query("SELECT plain_input FROM exchange"), 1000);
  EXPECT_EQ(text("SELECT attempts FROM exchange"),
            R"([["openai/gpt-5-nano","upstream_reset",0,1,2,2000,0,100000],)"
            R"(["openai/gpt-5-nano","first_byte_timeout",0,2,0,null,null,null],)"
            R"(["openai/gpt-5-nano","connect_error",0,0],)"
            R"(["openai/gpt-5-mini","ok",200,9000]])");
  EXPECT_TRUE(verify_ledger(reader())->problems.empty());
}

TEST_F(LedgerTest, DISC_6_NothingWasDeliveredAndAFailedAttemptIsPaidForAllTheSame) {
  Record r = record(&ledger_->target("openai", "gpt-5-nano", ""));
  r.outcome = Outcome::UpstreamReset;
  r.attempts[0].outcome = Outcome::UpstreamReset;
  r.attempts[0].spent = ledger_->spent_by(r, usage(2000, 0), UsageSource::Reported);
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 100000 AND attempts_cost = 100000 AND"
                  " cost_source = 1 AND usage_source = 0"),
            1);
  EXPECT_EQ(metric("llm_cost_dollars_total", "gpt-5-nano", 9), 100'000);
}

TEST_F(LedgerTest, DISC_5_AnEstimateSaysThatItIsOne) {
  Record r = record(&ledger_->target("openai", "gpt-5-mini", ""));
  r.outcome = Outcome::ClientClosed;
  r.status = 499;
  r.ttft_micros = 5'000;
  r.usage = usage(1000, 1000);
  r.usage_source = UsageSource::Estimated;
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE usage_source = 2 AND cost = 2250000"), 1);
}

TEST_F(LedgerTest, ANameOnlyTheUpstreamKnowsIsPricedByTheAnsweredModel) {
  Record r = record(&ledger_->target("portkey", "gpt4", ""));
  r.answered_model = "gpt-4o-2024-08-06";
  r.usage = usage(1'000'000, 0);
  r.usage_source = UsageSource::Reported;
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT cost FROM exchange"), 2'500'000'000);
  EXPECT_EQ(query("SELECT price_notes FROM exchange"), kByAnsweredModel | kVendorByModel);
}

TEST_F(LedgerTest, NamesBeyondTheCapStandInTheRow) {
  stop();
  start(64 << 20, 8);
  const TargetMeters& any = ledger_->target("openrouter", "*", "");
  for (int i = 0; i < 20; ++i) {
    Record r = record(&any);
    r.model = "vendor/model-" + std::to_string(i);
    ledger_->finish(0, std::move(r));
  }
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(query("SELECT count(*) FROM name"), 8);
  auto report = usage_report(reader(), {.by = UsageGroup::Model});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lines.size(), 20U);
  EXPECT_THAT(registry_->text(), Not(HasSubstr("vendor/model")));
}

TEST_F(LedgerTest, ABatchThatFailsIsStoredLaterOnce) {
  const TargetMeters& target = ledger_->target("openai", "gpt-5-mini", "");
  auto other = store::Database::open(path());
  ASSERT_TRUE(other);
  for (int i = 0; i < 10; ++i) ledger_->finish(0, record(&target));
  {
    auto lock = store::Transaction::begin(*other);
    ASSERT_TRUE(lock);
    EXPECT_FALSE(journal_->drain());
  }
  for (int i = 0; i < 10; ++i) ledger_->finish(0, record(&target));
  ASSERT_TRUE(journal_->drain());
  auto report = verify_ledger(reader());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows, 20);
  EXPECT_THAT(report->problems, IsEmpty());
}

TEST_F(LedgerTest, PERF_2_ANearlyFullQueueDropsTextsFirstAndNeverUncounted) {
  stop();
  start(200'000);
  const TargetMeters& target = ledger_->target("openai", "gpt-5-mini", "");
  for (int i = 0; i < 2000; ++i) {
    Record r = record(&target);
    r.outcome = Outcome::UpstreamError;
    r.error = std::string(300, 'e');
    r.usage = usage(1000, 0);
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
    ASSERT_LE(journal_->queued_bytes(), 200'000U);
  }
  EXPECT_FALSE(journal_->healthy());
  ASSERT_TRUE(journal_->drain());
  EXPECT_GT(query("SELECT count(*) FROM exchange WHERE slim = 0 AND length(error) = 300"), 50);
  EXPECT_GT(query("SELECT count(*) FROM exchange WHERE slim = 1 AND error IS NULL"), 50);
  EXPECT_EQ(query("SELECT count(*) FROM exchange WHERE cost = 250000"),
            query("SELECT count(*) FROM exchange"));
  EXPECT_EQ(query("SELECT sum(slim) FROM exchange"), metric("llm_journal_slim_rows_total"));
  EXPECT_EQ(query("SELECT count(*) FROM exchange") + metric("llm_journal_dropped_rows_total"),
            2000);
  EXPECT_EQ(query("SELECT sum(cost) FROM exchange") +
                metric("llm_journal_dropped_cost_dollars_total", "", 9),
            metric("llm_cost_dollars_total", "", 9));
}

TEST_F(LedgerTest, VerifyFindsWhatDoesNotAddUp) {
  Record r = record(&ledger_->target("openai", "gpt-5-mini", ""));
  r.usage = usage(4, 0);
  r.usage_source = UsageSource::Reported;
  ledger_->finish(0, std::move(r));
  stop();
  {
    auto database = store::Database::open(path());
    ASSERT_TRUE(verify_ledger(*database)->problems.empty());
    ASSERT_TRUE(database->exec("UPDATE exchange SET cost = 5"));
    EXPECT_EQ(verify_ledger(*database)->problems.size(), 3U) << "totals, and both sums of reports";
    ASSERT_TRUE(database->exec("UPDATE exchange SET cost = NULL"));
    EXPECT_EQ(verify_ledger(*database)->problems.size(), 4U);
    ASSERT_TRUE(database->exec("UPDATE exchange SET cost = 1000"));
  }
  start();
}

TEST_F(LedgerTest, UsageReportGroupsAndBounds) {
  const TargetMeters& mini = ledger_->target("openai", "gpt-5-mini", "tier2");
  const TargetMeters& nano = ledger_->target("openai", "gpt-5-nano", "tier2");
  const int64_t first = clock_.wall_micros();
  for (int day = 0; day < 3; ++day) {
    for (const TargetMeters* target : {&mini, &nano}) {
      Record r = record(target);
      r.user = day == 0 ? "" : "ann";
      r.usage = usage(1000, 100);
      r.usage_source = UsageSource::Reported;
      ledger_->finish(0, std::move(r));
    }
    clock_.now += 86'400 * kSecond;
  }
  ASSERT_TRUE(journal_->drain());
  const auto report = [&](UsageQuery query) {
    auto made = usage_report(reader(), query);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  };
  const UsageReport models = report({.by = UsageGroup::Model});
  ASSERT_EQ(models.lines.size(), 2U);
  EXPECT_EQ(models.lines[0].name, "gpt-5-mini") << "the dearest first";
  EXPECT_EQ(models.lines[0].requests, 3);
  EXPECT_EQ(models.lines[0].cost, 3 * (1000 * 250 + 100 * 2000));
  EXPECT_EQ(models.total.tokens.input, 6000);
  EXPECT_EQ(models.total.cost, models.lines[0].cost + models.lines[1].cost);
  EXPECT_EQ(models.total.failed, 0);
  const UsageReport days = report({.by = UsageGroup::Day});
  ASSERT_EQ(days.lines.size(), 3U);
  EXPECT_EQ(days.lines[0].name, "2026-11-23");
  EXPECT_EQ(days.lines[2].name, "2026-11-25");
  EXPECT_EQ(report({.by = UsageGroup::User}).lines.size(), 2U);
  EXPECT_EQ(report({.since_micros = first + 86'400'000'000}).total.requests, 4);
  EXPECT_EQ(report({.until_micros = first + 86'400'000'000}).total.requests, 2);
  EXPECT_EQ(report({.by = UsageGroup::Outcome}).lines[0].name, "ok");
  EXPECT_EQ(usage_group_named("alias"), UsageGroup::Alias);
  EXPECT_EQ(usage_group_named("colour"), std::nullopt);
}

}  // namespace
}  // namespace sluice::telemetry
