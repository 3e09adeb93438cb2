#include "net/redis_dial.h"
#include "net/redis_subscription.h"
#include "net/redis_test_base.h"

namespace sluice::net {
namespace {

using test::RedisServer;

class Gaps final : public RedisSubscription::Handler {
 public:
  void on_message(std::string_view, std::string_view payload) override { last = payload; }
  void on_gap() override { ++count; }
  std::string last;
  int count = 0;
};

class RedisSentinelTest : public RedisTest {
 protected:
  static RedisServer::Options tcp(std::vector<std::string> config = {}) {
    RedisServer::Options options;
    options.tcp = true;
    options.config = std::move(config);
    return options;
  }
  static RedisServer::Options sentinel_of(const RedisServer& master) {
    RedisServer::Options options =
        tcp({"sentinel monitor main 127.0.0.1 " + std::to_string(master.port()) + " 1",
             "sentinel down-after-milliseconds main 300", "sentinel failover-timeout main 2000"});
    options.sentinel = true;
    return options;
  }
};

TEST_F(RedisSentinelTest, R4_FollowsTheMasterThroughAFailover) {
  RedisServer master(tcp());
  RedisServer replica(
      tcp({"replicaof 127.0.0.1 " + std::to_string(master.port()), "repl-diskless-sync-delay 0"}));
  const RedisServer sentinel(sentinel_of(master));
  const std::string nobody = "127.0.0.1:" + std::to_string(test::free_port());
  const std::string url = "redis+sentinel://" + nobody + "," + sentinel.address() + "/main";
  const auto client = client_for(url);
  Gaps gaps;
  const RedisSubscription subscription(loop, resolver, options_for(url), {"revoked"}, gaps);
  EXPECT_EQ(text(ask(*client, RedisCommand("SET", "k", "v"))), "OK");
  ASSERT_TRUE(comes([&] {
    return gaps.count == 1 && replica.tell("GET k").find("v\r\n") != std::string::npos &&
           sentinel.tell("SENTINEL replicas main").find(std::to_string(replica.port())) !=
               std::string::npos;
  }));

  master.kill();
  ASSERT_TRUE(comes([&] { return !client->status().up; }));
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(text(ask(*client, RedisCommand("SET", "k", "w"))), "OK");
  EXPECT_NE(replica.tell("GET k").find("w\r\n"), std::string::npos);
  ASSERT_TRUE(comes([&] { return gaps.count == 2; }));
  replica.tell("PUBLISH revoked key-1");
  ASSERT_TRUE(comes([&] { return gaps.last == "key-1"; }));
}

TEST_F(RedisSentinelTest, AMasterThatIsNoneIsNotTaken) {
  RedisServer master(tcp());
  const RedisServer sentinel(sentinel_of(master));
  master.tell("REPLICAOF 127.0.0.1 1");
  const auto client = client_for("redis+sentinel://" + sentinel.address() + "/main");
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"))), RedisFault::Down);
  EXPECT_NE(client->status().last_error.find("not the master"), std::string::npos)
      << client->status().last_error;
}

TEST_F(RedisSentinelTest, AServiceThatNobodyKnowsIsNamed) {
  RedisServer master(tcp());
  const RedisServer sentinel(sentinel_of(master));
  const auto client = client_for("redis+sentinel://" + sentinel.address() + "/other");
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"))), RedisFault::Down);
  EXPECT_NE(client->status().last_error.find("'other'"), std::string::npos)
      << client->status().last_error;
}

}  // namespace
}  // namespace sluice::net
