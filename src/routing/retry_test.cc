#include "routing/retry.h"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

Failure failed_with(Outcome outcome) {
  return Failure{outcome, std::nullopt, false};
}

TEST(AttemptPlan, FB_1_GoesThroughTheTargetsWithoutAPause) {
  const RetryOptions options;
  AttemptPlan plan(3, options, 1);
  EXPECT_EQ(plan.current(), 0u);
  for (size_t target : {1u, 2u}) {
    const auto step = plan.failed(failed_with(Outcome::ConnectError));
    ASSERT_TRUE(step);
    EXPECT_EQ(step->target, target);
    EXPECT_EQ(step->pause, 0);
  }
  EXPECT_FALSE(plan.failed(failed_with(Outcome::ConnectError)));
  EXPECT_EQ(plan.attempts(), 3);
}

TEST(AttemptPlan, EveryTargetGetsAnAttemptHoweverFewAreAllowed) {
  RetryOptions options;
  options.attempts = 1;
  AttemptPlan plan(2, options, 1);
  EXPECT_TRUE(plan.failed(failed_with(Outcome::UpstreamError)));
  EXPECT_FALSE(plan.failed(failed_with(Outcome::UpstreamError)));
}

TEST(AttemptPlan, FB_6_ASingleTargetIsAskedAgainAfterAGrowingPause) {
  RetryOptions options;
  options.attempts = 4;
  Nanos longest[3] = {};
  for (uint64_t seed = 0; seed < 200; ++seed) {
    AttemptPlan plan(1, options, seed);
    for (Nanos& pause : longest)
      pause = std::max(pause, plan.failed(failed_with(Outcome::UpstreamOverloaded))->pause);
    EXPECT_FALSE(plan.failed(failed_with(Outcome::UpstreamOverloaded)));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(longest[i], options.backoff_base << i);
    EXPECT_GT(longest[i], (options.backoff_base << i) * 9 / 10);
  }
}

TEST(AttemptPlan, TheRequestsOwnFaultEndsIt) {
  const RetryOptions options;
  for (Outcome outcome : {Outcome::UpstreamRejected, Outcome::ClientClosed, Outcome::TotalTimeout,
                          Outcome::Draining}) {
    AttemptPlan plan(3, options, 1);
    EXPECT_FALSE(plan.failed(failed_with(outcome))) << name_of(outcome);
  }
}

TEST(AttemptPlan, ARefusedKeyIsNotTriedAgainButAnotherTargetIs) {
  const RetryOptions options;
  AttemptPlan plan(2, options, 1);
  ASSERT_TRUE(plan.failed(failed_with(Outcome::UpstreamAuth)));
  const auto again = plan.failed(failed_with(Outcome::UpstreamError));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->target, 1u);
}

TEST(AttemptPlan, WaitsAsLongAsTheUpstreamAsked) {
  const RetryOptions options;
  AttemptPlan plan(1, options, 1);
  const auto step = plan.failed(Failure{Outcome::UpstreamRateLimit, 2 * kSecond, false});
  ASSERT_TRUE(step);
  EXPECT_GE(step->pause, 2 * kSecond);
}

TEST(AttemptPlan, GivesUpOnATargetThatAsksForTooLongAPauseOrIsOutOfQuota) {
  const RetryOptions options;
  AttemptPlan patient(1, options, 1);
  EXPECT_FALSE(patient.failed(Failure{Outcome::UpstreamRateLimit, 3600 * kSecond, false}));
  AttemptPlan broke(1, options, 1);
  EXPECT_FALSE(broke.failed(Failure{Outcome::UpstreamRateLimit, std::nullopt, true}));
}

}  // namespace
}  // namespace sluice::routing
