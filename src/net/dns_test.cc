#include "net/dns.h"

#include <atomic>
#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <optional>

#include "tests/support/manual_clock.h"

namespace sluice::net {
namespace {

using ::testing::ElementsAre;

// The outside world: answers when it is told to. Shared with the resolver's thread.
class World {
 public:
  Result<std::vector<Address>> ask(const std::string& host) {
    std::unique_lock lock(lock_);
    ++asked_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !slow_; });
    if (answer_.empty()) return Error(Outcome::DnsError, "cannot resolve '" + host + "'");
    std::vector<Address> addresses;
    for (const std::string& text : answer_) addresses.push_back(*Address::parse(text));
    return addresses;
  }
  void answer(std::vector<std::string> addresses) {
    const std::lock_guard lock(lock_);
    answer_ = std::move(addresses);
  }
  void be_slow(bool slow) {
    const std::lock_guard lock(lock_);
    slow_ = slow;
    changed_.notify_all();
  }
  void wait_until_asked(int times) {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [&] { return asked_ >= times; });
  }
  int asked() {
    const std::lock_guard lock(lock_);
    return asked_;
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<std::string> answer_ = {"10.0.0.1:0"};
  int asked_ = 0;
  bool slow_ = false;
};

struct Resolved {
  std::vector<std::string> addresses;
  std::optional<Outcome> error;
  bool done = false;
};

class Dns : public ::testing::Test {
 protected:
  static Task<void> resolve_into(Resolver& resolver, Loop& loop, std::string host, Until until,
                                 Resolved& into) {
    auto found = co_await resolver.resolve(loop, std::move(host), 443, until);
    if (found) {
      for (const Address& address : *found) into.addresses.push_back(address.text());
    } else {
      into.error = found.error().outcome();
    }
    into.done = true;
  }
  void start(const std::string& host, Resolved& into, Until until = Until::forever()) {
    loop_.tasks().spawn(resolve_into(resolver_, loop_, host, until, into));
  }
  void finish(Resolved& resolved) {
    for (int turn = 0; !resolved.done && turn < 5000; ++turn) loop_.turn(kMillisecond);
    EXPECT_TRUE(resolved.done);
  }
  Resolved resolve(const std::string& host = "api.example") {
    Resolved result;
    start(host, result);
    finish(result);
    return result;
  }
  void pass(Nanos time) {
    clock_.advance(time);
    loop_.turn(0);
  }

  test::ManualClock clock_;
  std::shared_ptr<World> world_ = std::make_shared<World>();
  Resolver resolver_{clock_, Resolver::Options(),
                     [world = world_](const std::string& host) { return world->ask(host); }};
  Loop loop_{clock_};
};

TEST_F(Dns, AnswersLiteralsAtOnce) {
  Resolved v4;
  start("127.0.0.1", v4);
  EXPECT_THAT(v4.addresses, ElementsAre("127.0.0.1:443"));
  Resolved v6;
  start("::1", v6);
  EXPECT_THAT(v6.addresses, ElementsAre("[::1]:443"));
  EXPECT_EQ(world_->asked(), 0);
}

TEST_F(Dns, KeepsAnAnswerWhileItIsFresh) {
  EXPECT_THAT(resolve().addresses, ElementsAre("10.0.0.1:443"));
  pass(29 * kSecond);
  resolve();
  EXPECT_EQ(world_->asked(), 1);
  pass(2 * kSecond);
  world_->answer({"10.0.0.2:0"});
  EXPECT_THAT(resolve().addresses, ElementsAre("10.0.0.2:443"));
  EXPECT_EQ(world_->asked(), 2);
}

TEST_F(Dns, MixesTheFamilies) {
  world_->answer({"[::1]:0", "[::2]:0", "10.0.0.1:0", "10.0.0.2:0", "10.0.0.3:0"});
  EXPECT_THAT(resolve().addresses, ElementsAre("[::1]:443", "10.0.0.1:443", "[::2]:443",
                                               "10.0.0.2:443", "10.0.0.3:443"));
}

TEST_F(Dns, AsksOnceForManyWhoWait) {
  world_->be_slow(true);
  std::array<Resolved, 10> all;
  for (Resolved& one : all) start("api.example", one);
  world_->wait_until_asked(1);
  world_->be_slow(false);
  for (Resolved& one : all) {
    finish(one);
    EXPECT_THAT(one.addresses, ElementsAre("10.0.0.1:443"));
  }
  EXPECT_EQ(world_->asked(), 1);
}

TEST_F(Dns, U3_AFailureIsADnsErrorAndNotRemembered) {
  world_->answer({});
  EXPECT_EQ(resolve().error, Outcome::DnsError);
  world_->answer({"10.0.0.1:0"});
  EXPECT_EQ(resolve().error, std::nullopt);
}

TEST_F(Dns, U3_AFailureLeavesTheLastGoodAnswer) {
  resolve();
  world_->answer({});
  pass(31 * kSecond);
  EXPECT_THAT(resolve().addresses, ElementsAre("10.0.0.1:443"));
  const int asked = world_->asked();
  EXPECT_THAT(resolve().addresses, ElementsAre("10.0.0.1:443"));
  EXPECT_EQ(world_->asked(), asked) << "a failing resolver is left in peace for a while";
  pass(3600 * kSecond);
  EXPECT_EQ(resolve().error, Outcome::DnsError) << "but not for ever";
}

TEST_F(Dns, U4_ASlowResolverIsNotFeltWhereAnAnswerIsAtHand) {
  resolve();
  pass(31 * kSecond);
  world_->be_slow(true);
  Resolved got;
  start("api.example", got);
  world_->wait_until_asked(2);
  loop_.turn(0);
  EXPECT_FALSE(got.done);
  pass(501 * kMillisecond);
  EXPECT_TRUE(got.done);
  EXPECT_THAT(got.addresses, ElementsAre("10.0.0.1:443"));
  world_->be_slow(false);
}

TEST_F(Dns, U4_ASlowResolverIsGivenUpAtTheDeadlineWhileTheLoopTurns) {
  world_->be_slow(true);
  Resolved got;
  start("api.example", got, Until(loop_.after(5 * kSecond)));
  world_->wait_until_asked(1);
  pass(4 * kSecond);
  EXPECT_FALSE(got.done);
  pass(2 * kSecond);
  EXPECT_EQ(got.error, Outcome::ConnectTimeout);
  world_->be_slow(false);
}

TEST_F(Dns, ACancelledWaitEndsAtOnce) {
  world_->be_slow(true);
  Cancel cancel;
  Resolved got;
  start("api.example", got, Until(Deadline::never(), &cancel));
  cancel.cancel(Outcome::ClientClosed);
  EXPECT_EQ(got.error, Outcome::ClientClosed);
  world_->be_slow(false);
}

TEST_F(Dns, ALoopMayGoWhileTheAnswerIsOnItsWay) {
  world_->be_slow(true);
  Resolved got;
  {
    Loop other(clock_);
    other.tasks().spawn(resolve_into(resolver_, other, "api.example", Until::forever(), got));
    world_->wait_until_asked(1);
  }
  world_->be_slow(false);
  EXPECT_THAT(resolve().addresses, ElementsAre("10.0.0.1:443"));
  EXPECT_FALSE(got.done);
}

TEST_F(Dns, TheResolverMayGoWhileALookupHangs) {
  auto world = std::make_shared<World>();
  world->be_slow(true);
  Resolved got;
  {
    Loop other(clock_);
    Resolver resolver(clock_, Resolver::Options(),
                      [world](const std::string& host) { return world->ask(host); });
    other.tasks().spawn(resolve_into(resolver, other, "api.example", Until::forever(), got));
    world->wait_until_asked(1);
    other.tasks().clear();
  }
  world->be_slow(false);
  EXPECT_FALSE(got.done);
}

TEST(SystemResolver, KnowsLocalhost) {
  test::ManualClock clock;
  Resolver resolver(clock);
  Loop loop(clock);
  bool done = false;
  const auto run = [](Resolver& by, Loop& on, bool& over) -> Task<void> {
    auto found = co_await by.resolve(on, "localhost", 80, Until::forever());
    EXPECT_TRUE(found);
    if (found) EXPECT_TRUE(found->front().is_loopback());
    over = true;
  };
  loop.tasks().spawn(run(resolver, loop, done));
  for (int turn = 0; !done && turn < 5000; ++turn) loop.turn(kMillisecond);
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace sluice::net
