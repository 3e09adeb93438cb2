#include "telemetry/meters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "telemetry/ledger_fixture.h"
#include "telemetry/ledger_verify.h"
#include "telemetry/usage_report.h"

namespace sluice::telemetry {
namespace {

using chat::UsageSource;
using ::testing::HasSubstr;

class MetersTest : public LedgerTest {
 protected:
  // Traffic of every kind, the same for the same seed.
  void traffic(int count, uint32_t seed) {
    std::mt19937 random(seed);
    const TargetMeters* targets[] = {&ledger_->target("openai", "gpt-5-mini", "tier2"),
                                     &ledger_->target("openai", "gpt-5-mini", ""),
                                     &ledger_->target("anthropic", "claude-haiku-4-5", "tier2"),
                                     &ledger_->target("lab", "unpriced", ""), nullptr};
    for (int i = 0; i < count; ++i) {
      Record r = record(targets[random() % 5]);
      r.outcome = static_cast<Outcome>(random() % kOutcomeCount);
      r.stream = random() % 2 == 0;
      if (random() % 2 == 0) r.ttft_micros = random() % 100'000;
      if (r.meters != nullptr && random() % 4 != 0) {
        r.usage = usage(random() % 10'000, random() % 1'000);
        r.usage.cache_read = random() % 500;
        r.usage.reasoning = random() % 300;
        r.usage_source = UsageSource::Reported;
        if (random() % 5 == 0) r.usage.provider_cost = 1e-9 * static_cast<double>(random());
      }
      ledger_->finish(i % 2, std::move(r));
    }
    ASSERT_TRUE(journal_->drain());
  }
  void expect_page_equals_ledger() {
    EXPECT_EQ(metric("llm_requests_total"), query("SELECT count(*) FROM exchange"));
    EXPECT_EQ(metric("llm_cost_dollars_total", "", 9), query("SELECT sum(cost) FROM exchange"));
    EXPECT_EQ(metric("llm_unpriced_requests_total"),
              query("SELECT count(*) FROM exchange WHERE cost IS NULL"));
    EXPECT_EQ(metric("llm_tokens_total", "type=\"input\""),
              query("SELECT sum(plain_input) FROM exchange"));
    EXPECT_EQ(metric("llm_tokens_total", "type=\"cached\""),
              query("SELECT sum(cache_read) FROM exchange"));
    EXPECT_EQ(metric("llm_tokens_total", "type=\"output\""),
              query("SELECT sum(visible_output) FROM exchange"));
    EXPECT_EQ(metric("llm_tokens_total", "type=\"reasoning\""),
              query("SELECT sum(reasoning) FROM exchange"));
    for (const char* result : {"ok", "error", "cancelled", "blocked"}) {
      EXPECT_EQ(metric("llm_requests_total", "outcome=\"" + std::string(result) + "\""),
                query("SELECT count(*) FROM exchange WHERE result ="
                      " (SELECT id FROM name WHERE text = '" +
                      std::string(result) + "')"))
          << result;
    }
  }
};

TEST_F(MetersTest, OBS_1_CountersEqualTheLedgerAlsoAfterARestart) {
  traffic(3000, 1);
  expect_page_equals_ledger();
  EXPECT_GT(metric("llm_cost_dollars_total", "", 9), 0);
  stop();
  start();
  expect_page_equals_ledger();  // before any new request
  traffic(3000, 2);
  expect_page_equals_ledger();
  auto report = verify_ledger(reader());
  ASSERT_TRUE(report);
  EXPECT_THAT(report->problems, ::testing::IsEmpty());
}

TEST_F(MetersTest, OBS_2_RandomNamesMakeNoSeries) {
  ledger_->finish(0, record(&ledger_->target("openai", "gpt-5-mini", "tier2")));
  const size_t series = registry_->series();
  const size_t lines = registry_->text().size();
  for (int i = 0; i < 100'000; ++i) {
    Record r = record(nullptr);
    const std::string junk = "junk-" + std::to_string(i);
    r.asked_model = junk;
    r.answered_model = junk;
    r.user = junk;
    r.client_request_id = junk;
    r.endpoint = "other";
    r.outcome = Outcome::ModelNotFound;
    ledger_->finish(0, std::move(r));
    if (i % 1000 == 0) ASSERT_TRUE(journal_->drain());
  }
  EXPECT_EQ(registry_->series(), series);
  EXPECT_LT(registry_->text().size(), lines + 4000);
  EXPECT_EQ(metric("llm_requests_total", "model=\"other\""), 100'000);
}

TEST_F(MetersTest, OBS_3_StreamsAreMeasuredApartByHowTheyEnded) {
  const TargetMeters& target = ledger_->target("openai", "gpt-5-mini", "tier2");
  for (const Outcome outcome : {Outcome::Ok, Outcome::Ok, Outcome::ClientClosed}) {
    Record r = record(&target);
    r.stream = true;
    r.outcome = outcome;
    r.attempts[0].outcome = outcome;
    r.ttft_micros = 4'000;
    r.duration_micros = 204'000;
    r.usage = usage(1, 11);
    r.usage_source = UsageSource::Reported;
    ledger_->finish(0, std::move(r));
  }
  for (const char* name : {"llm_time_to_first_token_seconds", "llm_time_per_output_token_seconds",
                           "llm_request_duration_seconds", "llm_upstream_duration_seconds"}) {
    EXPECT_EQ(metric(std::string(name) + "_count", "outcome=\"ok\""), 2) << name;
    EXPECT_EQ(metric(std::string(name) + "_count", "outcome=\"cancelled\""), 1) << name;
  }
  EXPECT_EQ(metric("llm_time_per_output_token_seconds_sum", "outcome=\"ok\"", 6), 40'000);
  EXPECT_EQ(metric("llm_gateway_overhead_seconds_sum", "", 6), 93);
}

TEST_F(MetersTest, CountsAttemptsRetriesAndFallbacks) {
  const TargetMeters& first = ledger_->target("openai", "gpt-5", "tier1");
  const TargetMeters& second = ledger_->target("anthropic", "claude-opus-5", "tier1");
  EXPECT_EQ(&first, &ledger_->target("openai", "gpt-5", "tier1"));
  Record r = record(&second);
  r.attempts.insert(r.attempts.begin(),
                    {{.target = "openai/gpt-5", .outcome = Outcome::UpstreamRateLimit},
                     {.target = "openai/gpt-5", .outcome = Outcome::FirstByteTimeout}});
  ledger_->finish(0, std::move(r));
  ASSERT_TRUE(journal_->drain());
  EXPECT_EQ(metric("llm_requests_total", "outcome=\"fallback_ok\""), 1);
  EXPECT_EQ(metric("llm_attempts_total", "provider=\"openai\""), 2);
  EXPECT_EQ(metric("llm_attempts_total", "provider=\"anthropic\""), 1);
  EXPECT_EQ(metric("llm_errors_total", "provider=\"openai\",cause=\"rate_limit\""), 1);
  EXPECT_EQ(metric("llm_errors_total", "provider=\"openai\",cause=\"timeout\""), 1);
  EXPECT_EQ(metric("llm_errors_total"), 2);
  EXPECT_EQ(metric("llm_retries_total", "cause=\"rate_limit\""), 1);
  EXPECT_EQ(metric("llm_fallbacks_total", "from=\"openai/gpt-5\",to=\"anthropic/claude-opus-5\""),
            1);
  EXPECT_EQ(metric("llm_upstream_duration_seconds_count", "attempt=\"later\""), 2);
  EXPECT_EQ(text("SELECT attempts FROM exchange"), R"([["openai/gpt-5","upstream_rate_limit",0,0],)"
                                                   R"(["openai/gpt-5","first_byte_timeout",0,0],)"
                                                   R"(["anthropic/claude-opus-5","ok",200,9000]])");
}

TEST_F(MetersTest, EveryOutcomeHasACauseAndAResult) {
  for (int i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    EXPECT_FALSE(name_of(cause_of(outcome)).empty());
    Record r = record(nullptr);
    r.outcome = outcome;
    EXPECT_EQ(result_of(r) == RequestResult::Ok, outcome == Outcome::Ok) << name_of(outcome);
  }
}

TEST_F(MetersTest, InFlightGoesUpAndDown) {
  const TargetMeters& target = ledger_->target("openai", "gpt-5", "");
  target.enter(0);
  target.enter(1);
  EXPECT_EQ(metric("llm_requests_in_flight", "openai"), 2);
  target.leave(0);
  EXPECT_EQ(metric("llm_requests_in_flight", "openai"), 1);
}

TEST_F(MetersTest, PageTellsOfTheJournalAndThePrices) {
  ledger_->finish(0, record(nullptr));
  const std::string page = registry_->text();
  for (const char* name :
       {"llm_journal_queue_bytes", "llm_journal_lag_seconds", "llm_journal_rows_total",
        "llm_journal_dropped_rows_total", "llm_journal_failures_total",
        "llm_log_dropped_lines_total", "llm_price_catalog_age_seconds 32462\n",
        "llm_metrics_series", "llm_metrics_overflow_total 0"}) {
    EXPECT_THAT(page, HasSubstr(name));
  }
}

}  // namespace
}  // namespace sluice::telemetry
