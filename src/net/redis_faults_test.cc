// A Redis that is down, dies, hangs or comes back (reliability R1 to R3).
#include "net/redis_subscription.h"
#include "net/redis_test_base.h"
#include "tests/support/manual_clock.h"

namespace sluice::net {
namespace {

using test::RedisServer;

TEST_F(RedisTest, R1_DownAtTheStartItFailsAtOnceAndComesUpLater) {
  RedisServer server(RedisServer::Options(), false);
  const auto client = client_for(server.url());
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"))), RedisFault::Down);
  EXPECT_FALSE(client->status().up);
  EXPECT_NE(client->status().last_error.find(server.socket_path()), std::string::npos);
  server.start();
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "k"))), "null");
}

TEST_F(RedisTest, R2_AfterItsDeathCommandsFailAtOnce) {
  RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_TRUE(comes_up(*client));
  server.kill();
  for (int i = 0; i < 5 && client->status().up; ++i) {
    EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"))), RedisFault::Down);
  }
  // No turn of the loop, and so no wait, from here on.
  for (int i = 0; i < 200; ++i) {
    std::optional<Answer> answer;
    begin(*client, RedisCommand("GET", "k"), kSecond, answer);
    ASSERT_TRUE(answer);
    EXPECT_EQ(fault(*answer), RedisFault::Down);
  }
  EXPECT_LE(client->status().failures, 5u);
  EXPECT_GE(client->status().rejected, 200u);
  server.start();
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "k"))), "null");
  EXPECT_EQ(client->status().connects, 2u);
}

TEST_F(RedisTest, R3_ASilentServerCostsFiveDeadlinesAndIsThenLeftAlone) {
  RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_TRUE(comes_up(*client));
  server.stop();
  for (int i = 0; i < 5; ++i) {
    const Nanos before = clock.monotonic();
    EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"), 20 * kMillisecond)),
              RedisFault::Deadline);
    EXPECT_GE(clock.monotonic() - before, 18 * kMillisecond);
  }
  EXPECT_FALSE(client->status().up);
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"))), RedisFault::Down);
  EXPECT_EQ(client->status().failures, 5u);
  server.go_on();
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "k"))), "null");
}

TEST_F(RedisTest, R3_ALateReplyIsSkippedAndNotTakenForTheNextOne) {
  const RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_EQ(text(ask(*client, RedisCommand("MSET", "a", "value of a", "b", "value of b"))), "OK");
  server.tell("CLIENT PAUSE 150 ALL");
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "a"), 20 * kMillisecond)), RedisFault::Deadline);
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "b"))), "value of b");
  EXPECT_EQ(client->status().connects, 1u);
}

TEST_F(RedisTest, R3_TheDeadlineIsFiftyMillisecondsWhereNoneIsGiven) {
  RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(client->patience().deadline().when(), loop.now() + 50 * kMillisecond);
}

TEST_F(RedisTest, ACancelledCommandEndsAtOnceAndItsReplyIsSkipped) {
  const RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_EQ(text(ask(*client, RedisCommand("MSET", "a", "value of a", "b", "value of b"))), "OK");
  Cancel cancel;
  std::optional<Answer> given_up;
  loop.tasks().spawn(
      ask_into(*client, RedisCommand("GET", "a"), Until(Deadline::never(), &cancel), given_up));
  EXPECT_FALSE(given_up);
  cancel.cancel(Outcome::ClientClosed);
  ASSERT_TRUE(given_up);
  EXPECT_EQ(given_up->error().outcome(), Outcome::ClientClosed);
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "b"))), "value of b");
}

class Messages final : public RedisSubscription::Handler {
 public:
  void on_message(std::string_view channel, std::string_view payload) override {
    all += std::string(channel) + "=" + std::string(payload) + ";";
  }
  void on_gap() override { ++gaps; }
  std::string all;
  int gaps = 0;
};

TEST_F(RedisTest, ASubscriberGetsMessagesAndIsToldOfGaps) {
  RedisServer server;
  Messages messages;
  const RedisSubscription subscription(loop, resolver, options_for(server.url()), {"revoked", "b"},
                                       messages);
  ASSERT_TRUE(comes([&] { return messages.gaps == 1; }));
  EXPECT_TRUE(subscription.status().up);
  server.tell("PUBLISH revoked key-1");
  server.tell("PUBLISH other nobody");
  server.tell("PUBLISH b two");
  ASSERT_TRUE(comes([&] { return subscription.messages() == 2; }));
  EXPECT_EQ(messages.all, "revoked=key-1;b=two;");

  server.kill();
  ASSERT_TRUE(comes([&] { return !subscription.status().up; }));
  EXPECT_NE(subscription.status().last_error, "");
  server.start();
  ASSERT_TRUE(comes([&] { return messages.gaps == 2; }));
  server.tell("PUBLISH revoked key-3");
  ASSERT_TRUE(comes([&] { return subscription.messages() == 3; }));
}

// On a clock that the test moves: silence is long.
class RedisSilenceTest : public testing::Test {
 protected:
  [[nodiscard]] bool comes(const std::function<bool()>& condition) {
    for (int turn = 0; turn < 5000 && !condition(); ++turn) loop.turn(kMillisecond);
    return condition();
  }
  // What is under way gets to its wait before the clock moves.
  void pass(Nanos time) {
    for (int i = 0; i < 3; ++i) loop.turn(0);
    clock.advance(time);
    for (int i = 0; i < 3; ++i) loop.turn(0);
  }
  test::ManualClock clock;
  Loop loop{clock};
  Resolver resolver{clock};
};

TEST_F(RedisSilenceTest, AQuietChannelIsAskedWhetherSomebodyIsThere) {
  RedisServer server;
  Messages messages;
  RedisOptions options;
  options.url = *parse_redis_url(server.url());
  const RedisSubscription subscription(loop, resolver, options, {"revoked"}, messages);
  ASSERT_TRUE(comes([&] { return messages.gaps == 1; }));
  // The server answers: nothing changes, however long it takes.
  for (int i = 0; i < 3; ++i) {
    pass(6 * kSecond);
    ASSERT_TRUE(
        comes([&] { return server.tell("CLIENT LIST").find("cmd=ping") != std::string::npos; }));
    server.tell("PUBLISH revoked key");
    ASSERT_TRUE(comes([&] { return subscription.messages() == static_cast<uint64_t>(i + 1); }));
  }
  EXPECT_EQ(messages.gaps, 1);
  // It does not: the connection is given up.
  server.stop();
  pass(6 * kSecond);
  EXPECT_TRUE(subscription.status().up);
  pass(6 * kSecond);
  EXPECT_FALSE(subscription.status().up);
  EXPECT_NE(subscription.status().last_error.find("silent"), std::string::npos);
  server.go_on();
  for (int i = 0; i < 3000 && messages.gaps < 2; ++i) {
    clock.advance(10 * kMillisecond);
    loop.turn(kMillisecond);
  }
  EXPECT_EQ(messages.gaps, 2);
}

}  // namespace
}  // namespace sluice::net
