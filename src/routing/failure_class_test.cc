#include "routing/failure_class.h"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

TEST(FailureClass, WhatIsNoFailureOfTheUpstreamStopsAndSaysNothingAboutTheTarget) {
  for (int i = 1; i < static_cast<int>(Outcome::DnsError); ++i) {
    const FailureClass& row = class_of(static_cast<Outcome>(i));
    EXPECT_EQ(row.onward, Onward::Stop) << name_of(row.outcome);
    EXPECT_EQ(row.mark, HealthMark::Nothing) << name_of(row.outcome);
    EXPECT_FALSE(row.same_target) << name_of(row.outcome);
  }
}

TEST(FailureClass, OnlyWhatHappensBeforeTheRequestGoesOutIsFree) {
  for (int i = 0; i < kOutcomeCount; ++i) {
    const Outcome outcome = static_cast<Outcome>(i);
    const bool before = (outcome >= Outcome::DnsError && outcome <= Outcome::PoolTimeout) ||
                        outcome == Outcome::Unsupported;
    EXPECT_EQ(is_free(Failure{.outcome = outcome}), before) << name_of(outcome);
  }
  const Failure dead{.outcome = Outcome::UpstreamReset, .retry_after = {}, .unsent = true};
  EXPECT_TRUE(is_free(dead)) << "KA-5: it is proven that nobody read the request";
}

TEST(FailureClass, OnlyWhoFellSilentMayAskMoneyForAFailure) {
  const auto failure = [](Outcome outcome, int status = 0) {
    return Failure{.outcome = outcome, .retry_after = {}, .status = status};
  };
  for (const Outcome silent : {Outcome::UpstreamReset, Outcome::FirstByteTimeout,
                               Outcome::TotalTimeout, Outcome::ClientClosed, Outcome::Truncated}) {
    EXPECT_TRUE(may_be_charged(failure(silent))) << name_of(silent);
  }
  EXPECT_TRUE(may_be_charged(failure(Outcome::UpstreamBadReply, 200)));
  EXPECT_FALSE(may_be_charged(failure(Outcome::UpstreamBadReply, 307))) << "no answer was made";
  EXPECT_FALSE(may_be_charged(failure(Outcome::UpstreamOverloaded, 503)));
  EXPECT_FALSE(may_be_charged(failure(Outcome::UpstreamError, 200))) << "it says that it failed";
  EXPECT_FALSE(may_be_charged(failure(Outcome::ConnectTimeout)));
  Failure dead = failure(Outcome::UpstreamReset);
  dead.unsent = true;
  EXPECT_FALSE(may_be_charged(dead));
}

TEST(FailureClass, RET_2_WhatIsAboutTheRequestLeavesTheTargetWell) {
  for (int i = 0; i < kOutcomeCount; ++i) {
    const Outcome outcome = static_cast<Outcome>(i);
    if (!is_about_the_request(outcome)) continue;
    EXPECT_EQ(class_of(outcome).mark, HealthMark::Well) << name_of(outcome);
    EXPECT_FALSE(may_pass(Failure{.outcome = outcome})) << name_of(outcome);
    EXPECT_NE(class_of(outcome).onward, Onward::Elsewhere) << name_of(outcome);
  }
}

TEST(FailureClass, WhatLastsDoesNotPass) {
  EXPECT_TRUE(may_pass(Failure{.outcome = Outcome::UpstreamRateLimit}));
  EXPECT_FALSE(may_pass(Failure{.outcome = Outcome::UpstreamRateLimit, .lasting = true}));
  EXPECT_FALSE(may_pass(Failure{.outcome = Outcome::UpstreamAuth}));
}

TEST(FailureClass, RET_9_TheProvidersOwnWordsSayMoreThanALimitAndALimitMoreThanAnOutage) {
  const Outcome by_use[] = {Outcome::ConnectError,       Outcome::UpstreamAuth,
                            Outcome::FirstByteTimeout,   Outcome::UpstreamError,
                            Outcome::UpstreamOverloaded, Outcome::UpstreamRateLimit,
                            Outcome::UpstreamRejected};
  for (size_t i = 1; i < std::size(by_use); ++i) {
    EXPECT_TRUE(is_more_useful(by_use[i], by_use[i - 1])) << name_of(by_use[i]);
    EXPECT_FALSE(is_more_useful(by_use[i - 1], by_use[i])) << name_of(by_use[i]);
  }
  EXPECT_TRUE(is_more_useful(Outcome::DnsError, Outcome::ConnectError)) << "the later one";
}

TEST(FailureClass, AnIntermediaryOrTheNetworkIsTheWayAndAModelIsNot) {
  EXPECT_TRUE(is_sick_way(Failure{.outcome = Outcome::IntermediaryError}));
  EXPECT_TRUE(is_sick_way(Failure{.outcome = Outcome::ConnectTimeout}));
  EXPECT_FALSE(is_sick_way(Failure{.outcome = Outcome::UpstreamOverloaded}));
  EXPECT_FALSE(is_sick_way(Failure{.outcome = Outcome::UpstreamRateLimit}));
  EXPECT_FALSE(is_sick_way(Failure{.outcome = Outcome::Unsupported})) << "nobody went that way";
}

}  // namespace
}  // namespace sluice::routing
