#include "net/timer.h"

#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace sluice::net {
namespace {

// Tells when it fired; runs `then` if there is one.
class Probe final : public Timer {
 public:
  explicit Probe(const Nanos& now) : now_(now) {}
  Nanos fired_at = -1;
  int fired = 0;
  std::function<void()> then;

 private:
  void on_timer() override {
    fired_at = now_;
    ++fired;
    if (then) then();
  }
  const Nanos& now_;
};

class TimerTest : public testing::Test {
 protected:
  // Moves the clock as a loop would: never past the moment the wheel asked for.
  void run_until(Nanos end) {
    while (now < end) {
      const Deadline due = wheel.next_due();
      ASSERT_TRUE(due.when() > now) << "the wheel asks for a moment that has passed";
      now = std::min(end, due.when());
      wheel.advance(now);
    }
  }

  Nanos now = 123'456'789'012;
  TimerWheel wheel{now};
};

TEST_F(TimerTest, FiresOnceAtTheFirstTickThatIsNotEarly) {
  Probe probe(now);
  const Nanos due = now + 5 * kMillisecond + 1;
  wheel.arm(probe, due);
  EXPECT_TRUE(probe.armed());
  run_until(now + kSecond);
  EXPECT_EQ(probe.fired, 1);
  EXPECT_FALSE(probe.armed());
  EXPECT_GE(probe.fired_at, due);
  EXPECT_LE(probe.fired_at, due + kMillisecond);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST_F(TimerTest, IsPunctualAtEveryHorizon) {
  for (Nanos wait = kMillisecond; wait < 4'000'000 * kSecond; wait = wait * 2 + 12'345'678) {
    for (const Nanos jitter : {Nanos{-1}, Nanos{0}, Nanos{1}, kMillisecond, 63 * kMillisecond}) {
      Probe probe(now);
      const Nanos due = now + wait + jitter;
      wheel.arm(probe, due);
      run_until(due - 1);
      EXPECT_EQ(probe.fired, 0) << wait << " " << jitter;
      run_until(due + kMillisecond);
      EXPECT_EQ(probe.fired, 1) << wait << " " << jitter;
    }
  }
}

TEST_F(TimerTest, IsPunctualOnBothSidesOfEveryCascade) {
  for (int bits = 6; bits <= 36; bits += 6) {
    for (const int64_t offset : {-65, -64, -63, -1, 0, 1, 63, 64, 65}) {
      const int64_t turn = int64_t{1} << bits;
      Nanos at = (turn * 3 - 70) * kMillisecond;
      TimerWheel fresh(at);
      Probe probe(at);
      const Nanos due = (turn * 3 + offset) * kMillisecond;
      fresh.arm(probe, due);
      while (at < due + kMillisecond) {
        const Deadline next = fresh.next_due();
        if (probe.fired == 0) {
          EXPECT_LE(next.when(), due);
        }
        at = std::min(next.when(), at + 7 * kMillisecond);
        fresh.advance(at);
        EXPECT_EQ(probe.fired, at >= due ? 1 : 0) << bits << " " << offset;
      }
    }
  }
}

TEST_F(TimerTest, BeyondTheWheelsHorizonIsStillOnTime) {
  Probe probe(now);
  const Nanos due = now + (int64_t{1} << 37) * kMillisecond + 5 * kMillisecond;
  wheel.arm(probe, due);
  run_until(due - 1);
  EXPECT_EQ(probe.fired, 0);
  run_until(due + kMillisecond);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerTest, ASleepOfYearsCostsNoMoreThanItsTimers) {
  Probe probe(now);
  int turns = 0;
  wheel.arm(probe, now + 3'600'000'000 * kSecond);
  for (; probe.fired == 0 && turns < 1000; ++turns) {
    now = wheel.next_due().when();
    wheel.advance(now);
  }
  EXPECT_EQ(probe.fired, 1);
  EXPECT_LE(turns, 200);
}

TEST_F(TimerTest, TheFarthestMomentNeverFires) {
  Probe probe(now);
  wheel.arm(probe, std::numeric_limits<Nanos>::max() - 1);
  now += 1'000 * kSecond;
  wheel.advance(now);
  EXPECT_EQ(probe.fired, 0);
}

TEST_F(TimerTest, AMomentThatHasPassedFiresAtTheNextTick) {
  Probe probe(now);
  wheel.arm(probe, now - kSecond);
  EXPECT_EQ(probe.fired, 0);
  run_until(now + kMillisecond);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerTest, ArmingAgainMovesIt) {
  Probe probe(now);
  const Nanos begin = now;
  wheel.arm(probe, begin + 10 * kMillisecond);
  wheel.arm(probe, begin + 100 * kMillisecond);
  EXPECT_EQ(wheel.size(), 1u);
  run_until(begin + 99 * kMillisecond);
  EXPECT_EQ(probe.fired, 0);
  run_until(begin + 102 * kMillisecond);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerTest, ADestroyedTimerIsForgotten) {
  auto probe = std::make_unique<Probe>(now);
  Probe other(now);
  wheel.arm(*probe, now + 5 * kMillisecond);
  wheel.arm(other, now + 5 * kMillisecond);
  probe.reset();
  EXPECT_EQ(wheel.size(), 1u);
  run_until(now + 10 * kMillisecond);
  EXPECT_EQ(other.fired, 1);
}

TEST_F(TimerTest, ACallbackMayDestroyAnyTimerOfTheSameTick) {
  std::vector<std::unique_ptr<Probe>> probes;
  int fired = 0;
  for (int i = 0; i < 5; ++i) {
    probes.push_back(std::make_unique<Probe>(now));
    probes.back()->then = [&fired, &probes] {
      ++fired;
      // Itself and all others.
      auto gone = std::move(probes);
      probes.clear();
    };
    wheel.arm(*probes.back(), now + 5 * kMillisecond);
  }
  run_until(now + 10 * kMillisecond);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST_F(TimerTest, ACallbackMayArmItsTimerAgain) {
  Probe probe(now);
  probe.then = [&] {
    if (probe.fired < 100) wheel.arm(probe, now + kMillisecond);
  };
  const Nanos begin = now;
  wheel.arm(probe, begin + kMillisecond);
  run_until(begin + kSecond);
  EXPECT_EQ(probe.fired, 100);
}

TEST_F(TimerTest, ALongSleepFiresEverythingInBetween) {
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 1; i <= 1000; ++i) {
    probes.push_back(std::make_unique<Probe>(now));
    wheel.arm(*probes.back(), now + i * 977 * kMillisecond);
  }
  now += 2'000 * kSecond;
  wheel.advance(now);
  for (const auto& probe : probes) EXPECT_EQ(probe->fired, 1);
}

TEST_F(TimerTest, AgreesWithASortedList) {
  std::mt19937_64 random(7);
  std::vector<std::unique_ptr<Probe>> probes;
  std::map<Probe*, Nanos> model;
  for (int i = 0; i < 200; ++i) probes.push_back(std::make_unique<Probe>(now));
  for (int round = 0; round < 20'000; ++round) {
    Probe& probe = *probes[random() % probes.size()];
    if (random() % 8 == 0) {
      auto& slot = *std::find_if(probes.begin(), probes.end(),
                                 [&](const auto& one) { return one.get() == &probe; });
      model.erase(&probe);
      slot = std::make_unique<Probe>(now);
    } else {
      // All magnitudes alike, from below a tick to a year.
      const Nanos wait = static_cast<Nanos>(random() % (uint64_t{1} << (random() % 55)));
      wheel.arm(probe, now + wait);
      model[&probe] = now + wait;
    }
    if (random() % 3 == 0) {
      const Nanos step = static_cast<Nanos>(random() % (uint64_t{1} << (random() % 40)));
      now += step;
      wheel.advance(now);
    }
    for (auto at = model.begin(); at != model.end();) {
      const bool fired = !at->first->armed();
      if (fired) {
        ASSERT_LE(at->second, now) << "early";
        at = model.erase(at);
      } else {
        // A tick's grace: due moments are rounded up, and "now" falls within a tick.
        ASSERT_GT(at->second, now - 2 * kMillisecond) << "late";
        ++at;
      }
    }
    ASSERT_EQ(wheel.size(), model.size());
    if (!model.empty()) {
      Nanos soonest = std::numeric_limits<Nanos>::max();
      for (const auto& [timer, due] : model) soonest = std::min(soonest, due);
      ASSERT_LE(wheel.next_due().when(), std::max(soonest, now) + 2 * kMillisecond);
    }
  }
}

}  // namespace
}  // namespace sluice::net
