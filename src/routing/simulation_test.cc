// Breakers, budget and plans together, wired as the gateway wires them, in virtual time: many
// exchanges overlap, every draw comes from one seed. The figures are goals of the reliability page.
#include <functional>
#include <gtest/gtest.h>
#include <queue>
#include <string>
#include <vector>

#include "routing/random.h"
#include "routing/retry.h"

namespace sluice::routing {
namespace {

// How an upstream answers a call that arrives now; Ok: well.
struct Reply {
  Outcome outcome = Outcome::Ok;
  Nanos after = 50 * kMillisecond;
  std::optional<Nanos> retry_after = std::nullopt;
};
using Upstream = std::function<Reply(Nanos now, uint64_t& dice)>;

Upstream well() {
  return [](Nanos, uint64_t&) { return Reply{}; };
}
Upstream always(Outcome outcome, Nanos after = 20 * kMillisecond) {
  return [outcome, after](Nanos, uint64_t&) { return Reply{outcome, after}; };
}
Upstream sometimes(Outcome outcome, uint64_t percent) {
  return [outcome, percent](Nanos, uint64_t& dice) {
    if (next_random(dice) % 100 >= percent) return Reply{};
    const bool limit = outcome == Outcome::UpstreamRateLimit;
    return Reply{outcome, 20 * kMillisecond, limit ? std::optional(2 * kSecond) : std::nullopt};
  };
}

constexpr Nanos kBegin = 1000 * kSecond;

class Simulation {
 public:
  Simulation(std::vector<Upstream> upstreams, uint64_t seed)
      : upstreams_(std::move(upstreams)), dice_(seed), table_(seed), calls(upstreams_.size()) {
    for (size_t i = 0; i < upstreams_.size(); ++i) {
      Target target;
      target.slot = static_cast<uint32_t>(i);
      target.provider = static_cast<uint16_t>(i);
      target.model = "m";
      chain_.push_back(target);
      breakers.push_back(table_.breaker("p" + std::to_string(i) + "/m", {}));
    }
    route_.targets = chain_;
  }

  void run(int per_second, Nanos length) {
    context_.emplace(PlanContext{
        .options = options_, .breakers = breakers, .stands_in_for = {}, .budget = &budget});
    const Nanos gap = kSecond / per_second;
    for (Nanos at = kBegin; at < kBegin + length; at += gap) {
      at_(at, [this, at] { begin(at); });
    }
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      event.act();
    }
  }

  struct Exchange {
    Exchange(const RouteTargets& route, const PlanContext& context, Deadline deadline,
             uint64_t seed)
        : plan(route, context, deadline, seed) {}
    AttemptPlan plan;
    Nanos began = 0;
    int sent = 0;
  };
  struct Ended {
    Nanos began;
    Nanos ended;
    int sent;
    bool good;
  };

  int64_t failed_since(Nanos since) const {
    int64_t count = 0;
    for (const Ended& end : ended) count += !end.good && end.began >= kBegin + since;
    return count;
  }
  double share_failed(Nanos since = 0) const {
    int64_t all = 0;
    for (const Ended& end : ended) all += end.began >= kBegin + since;
    return static_cast<double>(failed_since(since)) / static_cast<double>(all);
  }
  // Of any ten seconds: calls that reached an upstream, per request.
  double worst_amplification() const {
    double worst = 0;
    std::vector<int64_t> requests(400), sent(400);
    for (const Ended& end : ended) ++requests[(end.began - kBegin) / kSecond];
    for (const auto& list : calls) {
      for (const Nanos at : list) ++sent[(at - kBegin) / kSecond];
    }
    for (size_t s = 0; s + 10 <= requests.size() && requests[s + 9] > 0; ++s) {
      int64_t asked = 0, made = 0;
      for (size_t i = s; i < s + 10; ++i) {
        asked += requests[i];
        made += sent[i];
      }
      worst = std::max(worst, static_cast<double>(made) / static_cast<double>(asked));
    }
    return worst;
  }
  int most_sent() const {
    int most = 0;
    for (const Ended& end : ended) most = std::max(most, end.sent);
    return most;
  }

 private:
  struct Event {
    Nanos at;
    uint64_t order;
    std::function<void()> act;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  void at_(Nanos when, std::function<void()> act) {
    events_.push({when, ++order_, std::move(act)});
  }

  void begin(Nanos now) {
    auto exchange = std::make_shared<Exchange>(route_, *context_, Deadline::at(now + 30 * kSecond),
                                               next_random(dice_));
    exchange->began = now;
    go(exchange, exchange->plan.first(now), now);
  }
  void go(const std::shared_ptr<Exchange>& exchange, std::optional<AttemptPlan::Step> step,
          Nanos now) {
    if (!step) return end(*exchange, false, now);
    const Nanos then = now + step->pause;
    at_(then, [this, exchange, then] { attempt(exchange, then); });
  }
  void attempt(const std::shared_ptr<Exchange>& exchange, Nanos now) {
    const size_t which = exchange->plan.current().slot;
    const Reply reply = upstreams_[which](now, dice_);
    const Failure failure{.outcome = reply.outcome, .retry_after = reply.retry_after};
    if (!is_free(failure)) {
      calls[which].push_back(now);
      ++exchange->sent;
    }
    const Nanos then = now + reply.after;
    at_(then, [this, exchange, failure, then] {
      if (failure.outcome == Outcome::Ok) {
        exchange->plan.succeeded(then);
        return end(*exchange, true, then);
      }
      go(exchange, exchange->plan.failed(failure, then), then);
    });
  }
  void end(const Exchange& exchange, bool good, Nanos now) {
    ended.push_back({exchange.began, now, exchange.sent, good});
  }

  std::vector<Upstream> upstreams_;
  uint64_t dice_;
  HealthTable table_;
  std::vector<Target> chain_;
  RouteTargets route_;
  RetryOptions options_;

 public:
  std::vector<std::shared_ptr<Breaker>> breakers;
  RetryBudget budget{RetryBudgetOptions{}};
  std::vector<std::vector<Nanos>> calls;  // by upstream: when one reached it
  std::vector<Ended> ended;

 private:
  std::optional<PlanContext> context_;
  std::priority_queue<Event> events_;
  uint64_t order_ = 0;
};

class Resilience : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Resilience, ::testing::Values(1, 2));

TEST_P(Resilience, G1_OneOfThreeRefusesEveryConnection) {
  Simulation world({always(Outcome::ConnectError, kMillisecond), well(), well()}, GetParam());
  world.run(500, 60 * kSecond);
  EXPECT_EQ(world.failed_since(0), 0);
  EXPECT_EQ(world.budget.usage(kBegin + 60 * kSecond).retries, 0) << "going elsewhere was free";
}

TEST_P(Resilience, G2_OneOfThreeAnswersOnlyOverloaded) {
  Simulation world({always(Outcome::UpstreamOverloaded), well(), well()}, GetParam());
  world.run(500, 60 * kSecond);
  EXPECT_LE(world.share_failed(), 0.001);
  EXPECT_EQ(world.failed_since(2 * kSecond), 0) << "errors only in the first two seconds";
}

TEST_P(Resilience, G3_OneOfThreeIsABlackHole) {
  Simulation world({always(Outcome::ConnectTimeout, 2 * kSecond), well(), well()}, GetParam());
  world.run(500, 60 * kSecond);
  EXPECT_LE(world.share_failed(), 0.001);
  int64_t late = 0;
  for (const auto& end : world.ended) late += end.ended - end.began > kSecond;
  EXPECT_LE(late, 2 * 500 + 3 * 7) << "those before it was noticed, and the probes since";
}

TEST_P(Resilience, G4_U47_OneOfTwoFailsHalfOfItsCallsAtRandom) {
  Simulation world({sometimes(Outcome::UpstreamError, 50), well()}, GetParam());
  world.run(500, 60 * kSecond);
  EXPECT_LE(world.share_failed(5 * kSecond), 0.005);
}

TEST_P(Resilience, G5_FivePercentOfEachFaultOnAllThree) {
  for (const Outcome fault :
       {Outcome::ConnectError, Outcome::FirstByteTimeout, Outcome::UpstreamReset,
        Outcome::UpstreamError, Outcome::UpstreamBadReply, Outcome::UpstreamRateLimit,
        Outcome::UpstreamOverloaded}) {
    const Upstream upstream = sometimes(fault, 5);
    Simulation world({upstream, upstream, upstream}, GetParam());
    world.run(200, 60 * kSecond);
    EXPECT_LE(world.share_failed(), 0.001) << name_of(fault);
  }
}

TEST_P(Resilience, G8_RET_6_AllFailAndTheirLoadStaysUnderElevenTenths) {
  for (const Outcome fault : {Outcome::UpstreamOverloaded, Outcome::UpstreamReset}) {
    const Upstream upstream = always(fault);
    Simulation world({upstream, upstream, upstream}, GetParam());
    world.run(500, fault == Outcome::UpstreamOverloaded ? 60 * kSecond : 15 * kSecond);
    EXPECT_LE(world.worst_amplification(), 1.10) << name_of(fault);
    EXPECT_LE(world.most_sent(), 3) << name_of(fault);
  }
}

TEST_P(Resilience, G9_ItOpensWithinTwentyRequestsOrTwoSeconds) {
  for (const int per_second : {2, 20, 1000}) {
    Simulation world({[](Nanos now, uint64_t&) {
                        const bool down = now >= kBegin + 15 * kSecond;
                        return Reply{down ? Outcome::UpstreamError : Outcome::Ok, kMillisecond};
                      },
                      well()},
                     GetParam());
    world.run(per_second, 17 * kSecond);
    int64_t late = 0;
    for (const Nanos at : world.calls[0]) late += at >= kBegin + 15 * kSecond;
    EXPECT_LE(late, 20) << per_second;
    EXPECT_GT(late, 0) << per_second;
  }
}

TEST_P(Resilience, G9_ItComesBackByItselfWithinOnePause) {
  constexpr Nanos kMended = kBegin + 10 * kSecond;
  Nanos probed = 0;
  Simulation world({[&probed](Nanos now, uint64_t&) {
                      if (now >= kMended && probed == 0) probed = now;
                      return Reply{now < kMended ? Outcome::UpstreamError : Outcome::Ok};
                    },
                    well()},
                   GetParam());
  world.run(100, 60 * kSecond);
  EXPECT_EQ(world.failed_since(0), 0);
  ASSERT_GT(probed, 0);
  EXPECT_LE(probed - kMended, 16 * kSecond) << "the pause that ran then";
  int64_t after = 0;
  for (const Nanos at : world.calls[0]) after += at >= probed + kSecond;
  const int64_t expected = (kBegin + 60 * kSecond - probed - kSecond) / (10 * kMillisecond);
  EXPECT_GE(after, expected - 5) << "all of the load is back a second after the first good probe";
}

TEST_P(Resilience, G9_X4_ProbesAreFew) {
  Simulation world({always(Outcome::UpstreamError), well()}, GetParam());
  world.run(250, 60 * kSecond);
  // At 20 ms each, 5 calls were on their way when the fifth failure opened it; then three for each
  // of the pauses of 1, 2, 4, 8, 16 and 32 s, less what jitter takes off them.
  EXPECT_LE(world.calls[0].size(), 5u + 5 + 3 * 7);
}

TEST_P(Resilience, RET_7_ASingleTargetWithSomeLimitsStaysInUse) {
  Simulation world({sometimes(Outcome::UpstreamRateLimit, 5)}, GetParam());
  world.run(100, 60 * kSecond);
  EXPECT_LE(world.share_failed(), 0.01);
}

TEST_P(Resilience, U48_AllDownIsAnsweredAtOnceAndNobodyIsForgotten) {
  constexpr Nanos kMended = kBegin + 30 * kSecond;
  const Upstream upstream = [](Nanos now, uint64_t&) {
    return now < kMended ? Reply{Outcome::ConnectTimeout, 2 * kSecond} : Reply{};
  };
  Simulation world({upstream, upstream, upstream}, GetParam());
  world.run(500, 60 * kSecond);
  int64_t slow = 0, all = 0;
  for (const auto& end : world.ended) {
    if (end.began < kBegin + 10 * kSecond || end.began >= kMended) continue;
    ++all;
    slow += end.ended - end.began > 10 * kMillisecond;
  }
  EXPECT_LE(slow, all / 5) << "most are told so at once";
  EXPECT_EQ(world.failed_since(33 * kSecond), 0) << "and the first call that comes through is seen";
}

}  // namespace
}  // namespace sluice::routing
