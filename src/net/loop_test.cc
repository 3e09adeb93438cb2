#include "net/loop.h"

#include <atomic>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "tests/support/manual_clock.h"

namespace sluice::net {
namespace {

class LoopTest : public testing::Test {
 protected:
  void pass(Nanos time) {
    clock.advance(time);
    loop.turn(0);
  }
  test::ManualClock clock;
  Loop loop{clock};
};

// One end of a socket pair, watched.
class Watched final : public EventTarget {
 public:
  explicit Watched(Loop& loop) : loop_(loop) {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
    loop_.watch(ends_[0], *this);
  }
  ~Watched() {
    loop_.unwatch(ends_[0]);
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  void poke() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void hang_up() {
    close(ends_[1]);
    ends_[1] = -1;
  }
  uint32_t seen = 0;
  int calls = 0;
  std::function<void()> then;

 private:
  void on_events(uint32_t events) override {
    seen |= events;
    ++calls;
    if (then) then();
  }
  Loop& loop_;
  int ends_[2];
};

class Later final : public Deferred {
 public:
  std::function<void()> then;
  int calls = 0;

 private:
  void on_turn_end() override {
    ++calls;
    if (then) then();
  }
};

Task<void> sleep_into(Loop& loop, Until until, Wake* wake, int* done) {
  *wake = co_await Sleep(loop, until);
  ++*done;
}
Task<void> listen_into(Bell& bell, Loop& loop, Until until, Wake* wake, int* done) {
  *wake = co_await bell.listen(loop, until);
  ++*done;
}

TEST_F(LoopTest, DeferredWorkIsDoneOnceWhenAllEventsOfTheTurnWereSeen) {
  Watched first(loop);
  Watched second(loop);
  Later later;
  int seen_before = 0;
  later.then = [&] { seen_before = first.calls + second.calls; };
  for (Watched* each : {&first, &second}) {
    each->then = [&] {
      loop.defer(later);
      loop.defer(later);
    };
  }
  loop.turn(0);  // both are writable
  EXPECT_EQ(seen_before, 2);
  EXPECT_EQ(later.calls, 1);
  loop.turn(0);
  EXPECT_EQ(later.calls, 1);
}

TEST_F(LoopTest, WhatDeferredWorkDefersWaitsForTheNextTurnWhichComesAtOnce) {
  Later again;
  again.then = [&] { loop.defer(again); };
  loop.defer(again);
  loop.turn(0);
  EXPECT_EQ(again.calls, 1);
  loop.turn(kSecond);
  EXPECT_EQ(again.calls, 2);
}

TEST_F(LoopTest, DestroyedDeferredWorkIsNotDone) {
  Later first;
  auto second = std::make_unique<Later>();
  Later third;
  first.then = [&] { second.reset(); };
  for (Later* each : {&first, second.get(), &third}) loop.defer(*each);
  loop.turn(0);
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(third.calls, 1);
}

TEST_F(LoopTest, ASleepEndsAtItsDeadlineAndNotBefore) {
  Wake wake = Wake::Ready;
  int done = 0;
  loop.tasks().spawn(sleep_into(loop, Until(loop.after(50 * kMillisecond)), &wake, &done));
  pass(50 * kMillisecond - 1);
  EXPECT_EQ(done, 0);
  pass(kMillisecond);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(wake, Wake::Timeout);
  EXPECT_TRUE(loop.tasks().empty());
}

TEST_F(LoopTest, ACancelEndsASleepAtOnce) {
  Wake wake = Wake::Ready;
  int done = 0;
  Cancel cancel;
  loop.tasks().spawn(sleep_into(loop, Until(loop.after(kSecond), &cancel), &wake, &done));
  cancel.cancel(Outcome::Draining);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(wake, Wake::Cancelled);
  EXPECT_EQ(loop.timers().size(), 0u);
}

TEST_F(LoopTest, AWaitThatWasCancelledBeforeDoesNotSuspend) {
  Wake wake = Wake::Ready;
  int done = 0;
  Cancel cancel;
  cancel.cancel(Outcome::ClientClosed);
  loop.tasks().spawn(sleep_into(loop, Until(Deadline::never(), &cancel), &wake, &done));
  EXPECT_EQ(wake, Wake::Cancelled);
}

TEST_F(LoopTest, ABellWakesItsListener) {
  Wake wake = Wake::Timeout;
  int done = 0;
  Bell bell;
  loop.tasks().spawn(listen_into(bell, loop, Until::forever(), &wake, &done));
  EXPECT_EQ(done, 0);
  bell.ring();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(wake, Wake::Ready);
}

TEST_F(LoopTest, ARingBeforeTheListenerIsKeptOnce) {
  Wake wake = Wake::Timeout;
  int done = 0;
  Bell bell;
  bell.ring();
  bell.ring();
  loop.tasks().spawn(listen_into(bell, loop, Until::forever(), &wake, &done));
  EXPECT_EQ(done, 1);
  loop.tasks().spawn(listen_into(bell, loop, Until::forever(), &wake, &done));
  EXPECT_EQ(done, 1);
  bell.ring();
  EXPECT_EQ(done, 2);
}

TEST_F(LoopTest, ABellThatTimedOutKeepsTheNextRing) {
  Wake wake = Wake::Ready;
  int done = 0;
  Bell bell;
  loop.tasks().spawn(listen_into(bell, loop, Until(loop.after(kMillisecond)), &wake, &done));
  pass(2 * kMillisecond);
  EXPECT_EQ(wake, Wake::Timeout);
  bell.ring();
  loop.tasks().spawn(listen_into(bell, loop, Until::forever(), &wake, &done));
  EXPECT_EQ(done, 2);
  EXPECT_EQ(wake, Wake::Ready);
}

TEST_F(LoopTest, DestroyingAWaitingTaskLeavesNoTrace) {
  Wake wake = Wake::Ready;
  int done = 0;
  Bell bell;
  Cancel cancel;
  loop.tasks().spawn(listen_into(bell, loop, Until(loop.after(kSecond), &cancel), &wake, &done));
  loop.tasks().clear();
  EXPECT_EQ(loop.timers().size(), 0u);
  cancel.cancel(Outcome::Draining);
  bell.ring();
  pass(2 * kSecond);
  EXPECT_EQ(done, 0);
}

TEST_F(LoopTest, ADescriptorTellsOfBytesAndOfHangUp) {
  Watched watched(loop);
  loop.turn(0);
  EXPECT_EQ(watched.seen & (EPOLLIN | EPOLLOUT), static_cast<uint32_t>(EPOLLOUT));
  watched.poke();
  loop.turn(0);
  EXPECT_NE(watched.seen & EPOLLIN, 0u);
  const int calls = watched.calls;
  loop.turn(0);
  EXPECT_EQ(watched.calls, calls);  // only changes are told
  EXPECT_EQ(watched.seen & EPOLLRDHUP, 0u);
  watched.hang_up();
  loop.turn(0);
  EXPECT_NE(watched.seen & EPOLLRDHUP, 0u);
}

TEST_F(LoopTest, ATargetMayDestroyEveryTargetOfTheSameTurn) {
  std::vector<std::unique_ptr<Watched>> all;
  int calls = 0;
  for (int i = 0; i < 8; ++i) {
    all.push_back(std::make_unique<Watched>(loop));
    all.back()->poke();
    all.back()->then = [&] {
      ++calls;
      auto gone = std::move(all);
      all.clear();
    };
  }
  loop.turn(0);
  loop.turn(0);
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopTest, AReusedDescriptorDoesNotGetItsPredecessorsEvents) {
  auto first = std::make_unique<Watched>(loop);
  auto second = std::make_unique<Watched>(loop);
  std::unique_ptr<Watched> heir;
  const auto replace_other = [&](std::unique_ptr<Watched>& other) {
    if (heir != nullptr) return;
    other.reset();
    heir = std::make_unique<Watched>(loop);  // takes over the numbers
  };
  first->then = [&] { replace_other(second); };
  second->then = [&] { replace_other(first); };
  first->poke();
  second->poke();
  loop.turn(0);
  ASSERT_NE(heir, nullptr);
  EXPECT_EQ(heir->calls, 0);
  loop.turn(0);
  EXPECT_EQ(heir->seen & EPOLLIN, 0u);
}

TEST_F(LoopTest, PostRunsInALaterTurnInOrder) {
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
  });
  loop.post([&] { order.push_back(2); });
  EXPECT_TRUE(order.empty());
  loop.turn(0);
  EXPECT_EQ(order, (std::vector{1, 2}));
  loop.turn(0);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(LoopThreads, PostAndStopWorkFromOtherThreads) {
  SystemClock clock;
  Loop loop(clock);
  int sum = 0;  // of the loop's thread alone
  std::atomic<int> posters{4};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) loop.post([&] { ++sum; });
      if (--posters == 0) loop.post([&] { loop.stop(); });
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  loop.turn(0);
  EXPECT_EQ(sum, 4000);
}

TEST(LoopThreads, StopWakesASleepingLoop) {
  SystemClock clock;
  Loop loop(clock);
  std::thread runner([&] { loop.run(); });
  loop.stop();
  runner.join();
}

TEST(LoopClock, NowIsReadOncePerTurn) {
  test::ManualClock clock;
  Loop loop(clock);
  const Nanos before = loop.now();
  clock.advance(kSecond);
  EXPECT_EQ(loop.now(), before);
  EXPECT_EQ(loop.read_clock(), before + kSecond);
  loop.turn(0);
  EXPECT_EQ(loop.now(), before + kSecond);
}

}  // namespace
}  // namespace sluice::net
