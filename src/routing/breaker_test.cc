#include "routing/breaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using ::testing::HasSubstr;
using Kind = Breaker::Admission::Kind;
using State = Breaker::State;

class BreakerTest : public ::testing::Test {
 protected:
  Kind ask() { return breaker_.admit(now_).kind; }
  void succeed(int times = 1) {
    for (int i = 0; i < times; ++i) breaker_.admit(now_).ticket.succeeded(now_);
  }
  void fail(int times = 1, Outcome outcome = Outcome::UpstreamOverloaded) {
    for (int i = 0; i < times; ++i) fail_with({.outcome = outcome, .status = 503});
  }
  void fail_with(const Failure& failure) { breaker_.admit(now_).ticket.failed(failure, now_); }
  State state() { return breaker_.status(now_).state; }
  // Opens it, and waits until its pause is over.
  void open_and_wait() {
    fail(5);
    now_ = breaker_.status(now_).until;
  }
  Nanos pause() { return breaker_.status(now_).until - now_; }

  BreakerOptions options_;
  Breaker breaker_{"openai/gpt-4", options_, 7};
  Nanos now_ = 1000 * kSecond;
};

TEST_F(BreakerTest, OpensAfterFiveFailuresInARow) {
  fail(4);
  EXPECT_EQ(ask(), Kind::Go);
  fail();
  EXPECT_EQ(ask(), Kind::Refused);
  EXPECT_EQ(state(), State::Open);
}

TEST_F(BreakerTest, ASuccessBetweenBeginsANewRow) {
  for (int i = 0; i < 3; ++i) {
    succeed(20);
    fail(4);
  }
  EXPECT_EQ(ask(), Kind::Go);
}

TEST_F(BreakerTest, RET_13_OneFailureAmongManySuccessesLeavesItInUse) {
  for (int i = 0; i < 1000; ++i) {
    succeed(9);
    fail();
    now_ += 100 * kMillisecond;
    ASSERT_EQ(ask(), Kind::Go);
  }
}

TEST_F(BreakerTest, RET_13_AFailureRateAboveTheThresholdOpensIt) {
  for (int i = 0; i < 4; ++i) {
    succeed();
    fail();
  }
  succeed();
  EXPECT_EQ(ask(), Kind::Go) << "nine calls say nothing yet";
  fail();
  EXPECT_EQ(ask(), Kind::Refused);
  EXPECT_THAT(breaker_.status(now_).text, HasSubstr("5 of 10 calls failed within 2 s"));
}

TEST_F(BreakerTest, G9_AChangeIsSeenWithinTwoSecondsHoweverGoodTheTenBeforeWere) {
  for (int i = 0; i < 100; ++i) {
    succeed(50);
    now_ += 100 * kMillisecond;
  }
  const Nanos begin = now_;
  while (state() == State::Closed) {
    ASSERT_LE(now_ - begin, 2 * kSecond + 200 * kMillisecond);
    // Three of five fail, never five in a row.
    for (int j = 0; j < 10; ++j) {
      fail(3);
      succeed(2);
    }
    now_ += 100 * kMillisecond;
  }
}

TEST_F(BreakerTest, TheLongWindowSeesWhatComesSeldom) {
  for (int i = 0; i < 5; ++i) {
    succeed();
    now_ += kSecond;
    EXPECT_EQ(state(), State::Closed);
    fail();
    now_ += kSecond * 4 / 5;
  }
  EXPECT_EQ(state(), State::Open);
}

TEST_F(BreakerTest, OldFailuresAreForgotten) {
  for (int i = 0; i < 30; ++i) {
    fail();
    succeed();
    now_ += 3 * kSecond;
  }
  EXPECT_EQ(state(), State::Closed) << "never ten calls within ten seconds";
}

TEST_F(BreakerTest, HalfOpenAdmitsThreeProbesAtATime) {
  open_and_wait();
  std::vector<Breaker::Admission> probes;
  for (int i = 0; i < 3; ++i) probes.push_back(breaker_.admit(now_));
  for (const auto& probe : probes) EXPECT_EQ(probe.kind, Kind::Probe);
  EXPECT_EQ(ask(), Kind::Refused);
  probes.pop_back();
  EXPECT_EQ(ask(), Kind::Probe) << "an exchange that is destroyed gives its probe back";
}

TEST_F(BreakerTest, RET_13_ThreeGoodProbesCloseIt) {
  open_and_wait();
  succeed(2);
  EXPECT_EQ(state(), State::HalfOpen);
  succeed();
  EXPECT_EQ(state(), State::Closed);
  EXPECT_EQ(ask(), Kind::Go);
  fail(4);
  EXPECT_EQ(state(), State::Closed) << "what was before is forgotten";
}

TEST_F(BreakerTest, AFailedProbeOpensItForLonger) {
  fail(5);
  Nanos last = pause();
  EXPECT_LE(last, kSecond);
  EXPECT_GE(last, kSecond * 3 / 4);
  for (int i = 0; i < 10; ++i) {
    now_ += last;
    EXPECT_EQ(state(), State::HalfOpen);
    fail();
    EXPECT_EQ(state(), State::Open);
    const Nanos ceiling = std::min(options_.longest_pause, kSecond << (i + 1));
    EXPECT_LE(pause(), ceiling);
    EXPECT_GE(pause(), ceiling * 3 / 4);
    last = pause();
  }
}

TEST_F(BreakerTest, PausesDiffer) {
  Breaker other("openai/gpt-4", options_, 8);
  fail(5);
  for (int i = 0; i < 5; ++i) {
    other.admit(now_).ticket.failed({.outcome = Outcome::UpstreamError}, now_);
  }
  EXPECT_NE(other.status(now_).until, breaker_.status(now_).until);
}

TEST_F(BreakerTest, ThePauseGrowsWhenItOpensAgainSoonAndNotLater) {
  open_and_wait();
  succeed(3);
  now_ += kSecond;
  fail(5);
  EXPECT_GT(pause(), kSecond);
  now_ += pause();
  succeed(3);
  now_ += 10 * kSecond;
  fail(5);
  EXPECT_LE(pause(), kSecond);
}

TEST_F(BreakerTest, AFailureAfterTwoGoodProbesStartsOver) {
  open_and_wait();
  succeed(2);
  fail();
  now_ += pause();
  succeed(2);
  EXPECT_EQ(state(), State::HalfOpen);
}

TEST_F(BreakerTest, VerdictsOfCallsThatBeganBeforeItOpenedAreVoid) {
  Breaker::Admission slow = breaker_.admit(now_);
  Breaker::Admission slower = breaker_.admit(now_);
  open_and_wait();
  slow.ticket.failed({.outcome = Outcome::UpstreamError}, now_);
  EXPECT_EQ(state(), State::HalfOpen);
  succeed(3);
  fail(4);
  slower.ticket.succeeded(now_);
  fail();
  EXPECT_EQ(state(), State::Open) << "the old success does not break the row";
}

TEST_F(BreakerTest, RET_2_FailuresAboutTheRequestDoNotCount) {
  fail(100, Outcome::UpstreamRejected);
  fail(100, Outcome::ContextOverflow);
  EXPECT_EQ(state(), State::Closed);
  open_and_wait();
  fail(3, Outcome::UpstreamRejected);
  EXPECT_EQ(state(), State::Closed) << "an upstream that judges requests is well";
}

TEST_F(BreakerTest, ClientsThatLeaveDoNotCount) {
  fail(100, Outcome::ClientClosed);
  fail(100, Outcome::PoolTimeout);
  EXPECT_EQ(state(), State::Closed);
  open_and_wait();
  fail(100, Outcome::ClientClosed);
  EXPECT_EQ(ask(), Kind::Probe);
  EXPECT_EQ(state(), State::HalfOpen);
}

TEST_F(BreakerTest, AStreamThatBreaksAfterItsContentCountsToo) {
  for (int i = 0; i < 10; ++i) {
    Breaker::Admission admission = breaker_.admit(now_);
    admission.ticket.succeeded(now_);
    admission.ticket.failed({.outcome = Outcome::Truncated}, now_);
  }
  EXPECT_EQ(state(), State::Open);
}

TEST_F(BreakerTest, RET_5_ARefusedKeyOpensItAtOnceAndForLong) {
  fail_with({.outcome = Outcome::UpstreamAuth, .status = 401});
  EXPECT_EQ(state(), State::Open);
  EXPECT_GE(pause(), 45 * kSecond);
  EXPECT_EQ(breaker_.status(now_).text, "open for another " +
                                            std::to_string((pause() + kSecond - 1) / kSecond) +
                                            " s: its key was refused, last: 401");
}

TEST_F(BreakerTest, U6_AWrongCertificateOpensItAtOnce) {
  fail_with({.outcome = Outcome::TlsError});
  EXPECT_EQ(state(), State::Open);
  EXPECT_THAT(breaker_.status(now_).text, HasSubstr("last: tls_error"));
}

TEST_F(BreakerTest, U28_APauseTheUpstreamAsksForIsKept) {
  fail_with({.outcome = Outcome::UpstreamRateLimit, .retry_after = 20 * kSecond, .status = 429});
  EXPECT_EQ(breaker_.status(now_).text, "open for another 20 s: it asked for a pause, last: 429");
  now_ += 20 * kSecond - 1;
  EXPECT_EQ(ask(), Kind::Refused);
  now_ += 1;
  EXPECT_EQ(ask(), Kind::Probe);
}

TEST_F(BreakerTest, RET_8_TheLongerHintHoldsUnderItsCap) {
  breaker_.cool_until(now_ + 30 * kSecond, Breaker::Hint::Pause, now_);
  breaker_.cool_until(now_ + 10 * kSecond, Breaker::Hint::Pause, now_);
  EXPECT_EQ(pause(), 30 * kSecond);
  breaker_.cool_until(now_ + 40 * kSecond, Breaker::Hint::Pause, now_);
  EXPECT_EQ(pause(), 40 * kSecond);
  breaker_.cool_until(now_ + 86'400 * kSecond, Breaker::Hint::Pause, now_);
  EXPECT_EQ(pause(), options_.longest_pause);
  breaker_.cool_until(now_ - kSecond, Breaker::Hint::Pause, now_);
  EXPECT_EQ(pause(), options_.longest_pause);
}

TEST_F(BreakerTest, RET_8_AHintOfACallThatBeganEarlierHoldsToo) {
  Breaker::Admission early = breaker_.admit(now_);
  fail_with({.outcome = Outcome::UpstreamRateLimit, .retry_after = 5 * kSecond});
  early.ticket.failed({.outcome = Outcome::UpstreamRateLimit, .retry_after = 25 * kSecond}, now_);
  EXPECT_EQ(pause(), 25 * kSecond);
}

TEST_F(BreakerTest, RET_14_AQuotaIsHeldUntilItsResetOneHourAtMost) {
  const Failure quota{
      .outcome = Outcome::UpstreamRateLimit, .retry_after = 1800 * kSecond, .lasting = true};
  fail_with(quota);
  EXPECT_EQ(pause(), 1800 * kSecond);
  EXPECT_THAT(breaker_.status(now_).text, HasSubstr("its quota is used up"));
  breaker_.cool_until(now_ + 86'400 * kSecond, Breaker::Hint::Quota, now_);
  EXPECT_EQ(pause(), 3600 * kSecond);
}

TEST_F(BreakerTest, RET_14_AHeldTargetGetsOneCallASecondAtMostEvenWhereItIsTheLast) {
  fail_with({.outcome = Outcome::UpstreamRateLimit, .lasting = true});
  int calls = 0;
  for (int i = 0; i < 5000; ++i) {
    Breaker::Admission admission = breaker_.admit_anyway(now_);
    if (admission) {
      ++calls;
      admission.ticket.failed({.outcome = Outcome::UpstreamRateLimit, .lasting = true}, now_);
    }
    now_ += 2 * kMillisecond;
  }
  EXPECT_GE(calls, 5);
  EXPECT_LE(calls, 12) << "10 s of 500 requests a second";
}

TEST_F(BreakerTest, RET_7_TheLastTargetIsCalledAnywayAndComesBackByItself) {
  fail(5);
  for (int i = 0; i < 3; ++i) {
    Breaker::Admission admission = breaker_.admit_anyway(now_);
    ASSERT_EQ(admission.kind, Kind::Anyway);
    admission.ticket.succeeded(now_);
  }
  EXPECT_EQ(state(), State::Closed);
}

TEST_F(BreakerTest, U48_CallsAnywayAreFewAtATimeWhenNothingComesBack) {
  fail(5, Outcome::ConnectTimeout);
  std::vector<Breaker::Admission> waiting;
  for (int i = 0; i < 32; ++i) waiting.push_back(breaker_.admit_anyway(now_));
  EXPECT_EQ(waiting.back().kind, Kind::Anyway);
  EXPECT_EQ(breaker_.admit_anyway(now_).kind, Kind::Refused);
  waiting.clear();
  EXPECT_EQ(breaker_.admit_anyway(now_).kind, Kind::Anyway);
}

TEST_F(BreakerTest, CallsAnywayThatFailDoNotMakeThePauseLonger) {
  fail(5);
  const Nanos end = breaker_.status(now_).until;
  for (int i = 0; i < 100; ++i) {
    breaker_.admit_anyway(now_).ticket.failed({.outcome = Outcome::UpstreamError}, now_);
  }
  EXPECT_EQ(breaker_.status(now_).until, end);
}

TEST_F(BreakerTest, RET_12_ARetiredTargetIsNeverCalledAgain) {
  Breaker::Admission before = breaker_.admit(now_);
  breaker_.retire();
  before.ticket.succeeded(now_);
  now_ += 86'400 * kSecond;
  EXPECT_EQ(ask(), Kind::Refused);
  EXPECT_EQ(breaker_.admit_anyway(now_).kind, Kind::Refused);
  EXPECT_EQ(state(), State::Retired);
}

TEST_F(BreakerTest, SaysWhatIsGoingOn) {
  EXPECT_EQ(breaker_.status(now_).text, "closed");
  fail(5);
  EXPECT_EQ(breaker_.status(now_).text, "open for another 1 s: 5 failures in a row, last: 503");
  now_ = breaker_.status(now_).until;
  succeed();
  EXPECT_EQ(breaker_.status(now_).text,
            "half-open, 1 of 3 probes went well: 5 failures in a row, last: 503");
}

TEST_F(BreakerTest, ManyThreadsAgreeInTheEnd) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      Nanos now = now_;
      for (int i = 0; i < 20'000; ++i) {
        now += kMillisecond;
        Breaker::Admission admission = breaker_.admit(now);
        if (!admission) admission = breaker_.admit_anyway(now);
        if (!admission) continue;
        const int fate = (i * 7 + t) % 10;
        if (fate < 5) admission.ticket.succeeded(now);
        if (fate >= 6) admission.ticket.failed({.outcome = Outcome::UpstreamError}, now);
        if (i % 500 == 0) EXPECT_FALSE(breaker_.status(now).text.empty());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  now_ += 200 * kSecond;
  for (int i = 0; i < 10 && state() != State::Closed; ++i) succeed();
  EXPECT_EQ(state(), State::Closed) << "no probe was lost: " << breaker_.status(now_).text;
}

}  // namespace
}  // namespace sluice::routing
