#include "routing/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Failure with(Outcome outcome) {
  return Failure{.outcome = outcome};
}

// Targets 0, 1, 2... of as many providers, each with a breaker; a budget; a clock that stands.
class Plan : public ::testing::Test {
 protected:
  void targets(size_t count) { add(chain_, count); }
  void add(std::vector<Target>& chain, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      Target target;
      target.slot = static_cast<uint32_t>(breakers_.size());
      target.provider = static_cast<uint16_t>(breakers_.size());
      target.model = std::to_string(breakers_.size());
      chain.push_back(target);
      breakers_.push_back(table_.breaker("p/" + target.model, {}));
    }
  }
  AttemptPlan& plan(uint64_t seed = 1) {
    route_ = {.targets = chain_,
              .on_context_overflow = larger_,
              .on_content_policy = laxer_,
              .fallback = fallback_};
    context_.emplace(PlanContext{.options = options_,
                                 .breakers = breakers_,
                                 .stands_in_for = stands_in_for_,
                                 .budget = &budget_});
    plan_.emplace(route_, *context_, deadline_, seed);
    return *plan_;
  }
  // The targets called, in order, when each attempt fails as `fails` says, the last one ever after.
  std::vector<int> walk(std::vector<Failure> fails, uint64_t seed = 1) {
    std::vector<int> called;
    AttemptPlan& it = plan(seed);
    std::optional<AttemptPlan::Step> step = it.first(now_);
    for (size_t i = 0; step && i < 50; ++i) {
      called.push_back(std::stoi(it.current().model));
      pauses_.push_back(step->pause);
      step = it.failed(fails[std::min(i, fails.size() - 1)], now_);
    }
    return called;
  }
  void cool(size_t slot, Nanos pause = 30 * kSecond) {
    breakers_[slot]->cool_until(now_ + pause, Breaker::Hint::Pause, now_);
  }
  // Opens the breaker as failures of this kind do.
  void open_by(size_t slot, Outcome outcome) {
    for (int i = 0; i < 5; ++i) breakers_[slot]->admit(now_).ticket.failed(with(outcome), now_);
  }

  HealthTable table_{1};
  RetryBudget budget_{RetryBudgetOptions{}};
  RetryOptions options_;
  std::vector<Target> chain_;
  std::vector<Target> larger_;
  std::vector<Target> laxer_;
  std::vector<std::shared_ptr<Breaker>> breakers_;
  std::vector<uint16_t> stands_in_for_;
  bool fallback_ = true;
  Deadline deadline_ = Deadline::never();
  Nanos now_ = 1000 * kSecond;
  RouteTargets route_;
  std::optional<PlanContext> context_;
  std::optional<AttemptPlan> plan_;
  std::vector<Nanos> pauses_;
};

TEST_F(Plan, FB_1_GoesThroughTheTargetsInOrderWithoutAPause) {
  targets(3);
  EXPECT_THAT(walk({with(Outcome::UpstreamError)}), ElementsAre(0, 1, 2));
  EXPECT_THAT(pauses_, ElementsAre(0, 0, 0));
  EXPECT_EQ(plan_->attempts(), 3);
  EXPECT_EQ(plan_->notes(),
            "went on to p/1 after upstream_error; went on to p/2 after upstream_error; gave up: "
            "all attempts are used up");
}

TEST_F(Plan, NothingIsSaidWhereTheFirstTargetAnswers) {
  targets(2);
  ASSERT_TRUE(plan().first(now_));
  plan_->succeeded(now_);
  EXPECT_THAT(plan_->notes(), IsEmpty());
}

TEST_F(Plan, EveryTargetGetsItsTurnWhenNothingWasSent) {
  targets(6);
  EXPECT_THAT(walk({with(Outcome::ConnectError)}), ElementsAre(0, 1, 2, 3, 4, 5, 0, 1));
  EXPECT_EQ(budget_.usage(now_).retries, 2);
}

TEST_F(Plan, G8_AtMostThreeAttemptsReachAProvider) {
  targets(9);
  for (uint32_t dice = 0; dice < 512; ++dice) {
    std::vector<Failure> fails;
    for (int bit = 0; bit < 9; ++bit) {
      const bool sent = (dice >> bit & 1) != 0;
      fails.push_back(with(sent ? Outcome::UpstreamError : Outcome::ConnectError));
    }
    fails.push_back(with(Outcome::UpstreamError));
    RetryBudget fresh{RetryBudgetOptions{}};
    now_ += 100 * kSecond;
    const size_t called = walk(fails).size();
    int sent = 0;
    for (size_t i = 0; i < called; ++i) sent += i >= 9 || (dice >> i & 1) != 0;
    EXPECT_LE(sent, 3) << "dice " << dice;
  }
}

TEST_F(Plan, FB_6_ASingleTargetIsAskedAgainAfterAGrowingPause) {
  targets(1);
  options_.attempts = 4;
  Nanos longest[3] = {};
  for (uint64_t seed = 0; seed < 200; ++seed) {
    now_ += 100 * kSecond;
    pauses_.clear();
    EXPECT_THAT(walk({with(Outcome::UpstreamOverloaded)}, seed), ElementsAre(0, 0, 0, 0));
    for (int i = 0; i < 3; ++i) longest[i] = std::max(longest[i], pauses_[i + 1]);
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(longest[i], options_.backoff_base << i);
    EXPECT_GT(longest[i], (options_.backoff_base << i) * 9 / 10);
  }
}

TEST_F(Plan, FB_7_WithFallbackOffNoSecondTargetIsCalled) {
  targets(3);
  add(larger_, 1);
  fallback_ = false;
  EXPECT_THAT(walk({with(Outcome::ConnectError)}), ElementsAre(0, 0, 0));
  EXPECT_THAT(walk({with(Outcome::ContextOverflow)}), ElementsAre(0));
  cool(0);
  EXPECT_THAT(walk({with(Outcome::UpstreamAuth)}), ElementsAre(0)) << "not even when it rests";
}

TEST_F(Plan, RET_1_WaitsAsLongAsTheUpstreamAsked) {
  targets(1);
  walk({Failure{.outcome = Outcome::UpstreamRateLimit, .retry_after = 2 * kSecond}});
  ASSERT_EQ(pauses_.size(), 3u);
  EXPECT_GE(pauses_[1], 2 * kSecond);
}

TEST_F(Plan, RET_1_GivesUpOnATargetThatAsksForTooLongAPauseOrIsOutOfQuota) {
  targets(1);
  EXPECT_THAT(walk({Failure{.outcome = Outcome::UpstreamRateLimit, .retry_after = 11 * kSecond}}),
              ElementsAre(0));
  now_ += 100 * kSecond;
  EXPECT_THAT(walk({Failure{.outcome = Outcome::UpstreamRateLimit, .lasting = true}}),
              ElementsAre(0));
}

TEST_F(Plan, RET_2_TheRequestsOwnFaultEndsIt) {
  targets(3);
  for (const Outcome outcome : {Outcome::UpstreamRejected, Outcome::ClientClosed,
                                Outcome::TotalTimeout, Outcome::Draining}) {
    EXPECT_THAT(walk({with(outcome)}), ElementsAre(0)) << name_of(outcome);
  }
}

TEST_F(Plan, RET_3_APromptThatDoesNotFitGoesToTheTargetsNamedForThat) {
  targets(2);
  add(larger_, 2);
  EXPECT_THAT(walk({with(Outcome::ContextOverflow)}), ElementsAre(0, 2, 3));
  EXPECT_EQ(budget_.usage(now_).retries, 0) << "a rule of the operator's is routing";
  EXPECT_THAT(plan_->notes(), HasSubstr("gave up: no target for that is left"));
}

TEST_F(Plan, RET_3_WithoutARuleItGoesNowhere) {
  targets(2);
  EXPECT_THAT(walk({with(Outcome::ContextOverflow)}), ElementsAre(0));
}

TEST_F(Plan, RET_3_ATargetOfTheRuleThatFailsFallsBackWithinTheRule) {
  targets(2);
  add(larger_, 2);
  EXPECT_THAT(walk({with(Outcome::ContextOverflow), with(Outcome::UpstreamError),
                    with(Outcome::UpstreamRejected)}),
              ElementsAre(0, 2, 3));
}

TEST_F(Plan, RET_4_ContentPolicyHasARuleOfItsOwnAndNeverTheSameTarget) {
  targets(2);
  add(larger_, 1);
  add(laxer_, 1);
  laxer_.insert(laxer_.begin(), chain_[0]);
  laxer_.insert(laxer_.begin() + 1, larger_[0]);
  EXPECT_THAT(walk({with(Outcome::ContentPolicy)}), ElementsAre(0, 2, 3));
  EXPECT_THAT(walk({with(Outcome::ContextOverflow), with(Outcome::ContentPolicy)}),
              ElementsAre(0, 2, 3));
}

TEST_F(Plan, RET_5_ARefusedKeyIsNotTriedAgainButAnotherTargetIs) {
  targets(2);
  EXPECT_THAT(walk({with(Outcome::UpstreamAuth), with(Outcome::UpstreamError)}),
              ElementsAre(0, 1, 1));
  EXPECT_THAT(walk({with(Outcome::UpstreamRejected)}), ElementsAre(1)) << "it is taken out";
}

TEST_F(Plan, RET_6_WithoutBudgetOnlyWhatIsFreeGoesOn) {
  targets(3);
  while (budget_.try_spend(now_)) {
  }
  EXPECT_THAT(walk({with(Outcome::UpstreamError)}), ElementsAre(0));
  EXPECT_THAT(plan_->notes(), HasSubstr("gave up: the retry budget is used up"));
  EXPECT_THAT(walk({with(Outcome::ConnectError)}), ElementsAre(0, 1, 2));
  EXPECT_THAT(walk({Failure{.outcome = Outcome::UpstreamReset, .unsent = true}}),
              ElementsAre(0, 1, 2));
}

TEST_F(Plan, RET_6_AProbeThatTheBudgetForbidsIsGivenBack) {
  targets(2);
  cool(1, kSecond);
  now_ += kSecond;
  while (budget_.try_spend(now_)) {
  }
  for (int i = 0; i < 5; ++i) EXPECT_THAT(walk({with(Outcome::UpstreamReset)}), ElementsAre(0));
  EXPECT_EQ(breakers_[1]->admit(now_).kind, Breaker::Admission::Kind::Probe);
}

TEST_F(Plan, RET_7_ASingleTargetThatRestsIsCalledAllTheSame) {
  targets(1);
  open_by(0, Outcome::UpstreamRateLimit);
  EXPECT_THAT(walk({with(Outcome::UpstreamRejected)}), ElementsAre(0));
  EXPECT_THAT(plan_->notes(), HasSubstr("p/0 called all the same"));
}

TEST_F(Plan, RET_10_NoStepLeadsBeyondTheDeadline) {
  targets(1);
  deadline_ = Deadline::at(now_ + 3 * kSecond);
  const Failure busy{.outcome = Outcome::UpstreamRateLimit, .retry_after = 3 * kSecond};
  EXPECT_THAT(walk({busy}), ElementsAre(0));
  EXPECT_THAT(plan_->notes(), HasSubstr("gave up: the deadline comes first"));
  EXPECT_EQ(budget_.usage(now_).retries, 0);
}

TEST_F(Plan, RET_12_NoTargetIsTriedAgainWhileAnUntriedHealthyOneRemains) {
  targets(4);
  cool(1);
  options_.attempts = 6;
  EXPECT_THAT(walk({with(Outcome::UpstreamError)}), ElementsAre(0, 2, 3, 0, 2, 3));
}

TEST_F(Plan, AHealthyTargetThatFailedOnceIsAskedBeforeOneThatIsDown) {
  targets(2);
  open_by(1, Outcome::UpstreamError);
  EXPECT_THAT(walk({with(Outcome::UpstreamReset)}), ElementsAre(0, 0, 0));
}

TEST_F(Plan, ATargetThatRestsGetsItsTurnWhereTheHealthyOneCannotBeAskedAgain) {
  targets(2);
  open_by(1, Outcome::UpstreamError);
  EXPECT_THAT(walk({with(Outcome::UpstreamAuth), with(Outcome::UpstreamRejected)}),
              ElementsAre(0, 1));
}

TEST_F(Plan, RET_12_ARemovedTargetIsNeverTried) {
  targets(2);
  breakers_[0]->retire();
  EXPECT_THAT(walk({with(Outcome::ConnectError)}), ElementsAre(1, 1, 1));
  breakers_[1]->retire();
  EXPECT_THAT(walk({with(Outcome::ConnectError)}), IsEmpty());
}

TEST_F(Plan, RET_14_WithoutQuotaTheAnswerIsReadyAtOnceWithTheTimeOfTheReset) {
  targets(2);
  for (const size_t i : {0u, 1u}) {
    breakers_[i]->admit(now_).ticket.failed({.outcome = Outcome::UpstreamRateLimit,
                                             .retry_after = Nanos(i + 1) * 600 * kSecond,
                                             .lasting = true},
                                            now_);
    breakers_[i]->admit_anyway(now_).ticket.abandon();
  }
  EXPECT_FALSE(plan().first(now_));
  const Failure refusal = plan_->refusal(now_);
  EXPECT_EQ(refusal.outcome, Outcome::UpstreamRateLimit);
  EXPECT_EQ(refusal.retry_after, 600 * kSecond);
  EXPECT_TRUE(refusal.lasting);
}

TEST_F(Plan, ADestroyedPlanGivesItsProbeBack) {
  targets(1);
  cool(0, kSecond);
  now_ += kSecond;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(plan().first(now_));
  plan_.reset();
  EXPECT_EQ(breakers_[0]->admit(now_).kind, Breaker::Admission::Kind::Probe);
}

// Target 0 goes through an intermediary, target 1 to the model itself.
class StandIn : public Plan {
 protected:
  StandIn() {
    targets(2);
    stands_in_for_ = {PlanContext::kNobody, 0};
  }
};

TEST_F(StandIn, TakesOverWhenTheIntermediaryItselfIsSick) {
  EXPECT_THAT(walk({with(Outcome::IntermediaryError), with(Outcome::UpstreamRejected)}),
              ElementsAre(0, 1));
  EXPECT_THAT(walk({with(Outcome::ConnectTimeout), with(Outcome::UpstreamRejected)}),
              ElementsAre(0, 1));
}

TEST_F(StandIn, IsPassedOverWhenTheModelIsSick) {
  EXPECT_THAT(walk({with(Outcome::UpstreamOverloaded)}), ElementsAre(0, 0, 0));
  EXPECT_THAT(plan_->notes(),
              HasSubstr("p/1 skipped: it stands in for p/0 only while the way there is sick"));
}

TEST_F(StandIn, TakesOverWhileTheBreakerIsOpenBecauseOfTheWay) {
  open_by(0, Outcome::ConnectError);
  EXPECT_THAT(walk({with(Outcome::UpstreamRejected)}), ElementsAre(1));
}

TEST_F(StandIn, DoesNotTakeOverWhileTheBreakerIsOpenBecauseOfTheModel) {
  open_by(0, Outcome::UpstreamError);
  EXPECT_THAT(walk({with(Outcome::UpstreamRejected)}), ElementsAre(0));
}

TEST_F(StandIn, IsATargetLikeAnyOtherWhereTheOtherIsNotInTheRoute) {
  chain_.erase(chain_.begin());
  EXPECT_THAT(walk({with(Outcome::UpstreamRejected)}), ElementsAre(1));
}

}  // namespace
}  // namespace sluice::routing
