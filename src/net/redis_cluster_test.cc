#include "net/redis_cluster.h"

#include "net/redis_test_base.h"

namespace sluice::net {
namespace {

using test::RedisServer;

TEST(RedisRedirect, IsReadFromTheError) {
  const auto moved = parse_redis_redirect("MOVED 3999 127.0.0.1:6381");
  ASSERT_TRUE(moved);
  EXPECT_FALSE(moved->ask);
  EXPECT_EQ(moved->slot, 3999);
  EXPECT_EQ(moved->to.text(), "127.0.0.1:6381");
  const auto ask = parse_redis_redirect("ASK 1 ::1:7");
  ASSERT_TRUE(ask);
  EXPECT_TRUE(ask->ask);
  EXPECT_EQ(ask->to.text(), "[::1]:7");
  EXPECT_EQ(parse_redis_redirect("MOVED 1 :7")->to.host, "");
}

TEST(RedisRedirect, NothingElseIsOne) {
  for (const std::string_view error : {"", "ERR no", "MOVED", "MOVED x h:1", "MOVED 16384 h:1",
                                       "MOVED 1", "MOVED 1 h", "MOVED 1 h:0", "ASKING 1 h:1"}) {
    EXPECT_FALSE(parse_redis_redirect(error)) << error;
  }
}

// Three masters without replicas, each with a third of the slots.
class RedisClusterTest : public RedisTest {
 protected:
  static constexpr int kNodes = 3;

  void SetUp() override {
    for (int i = 0; i < kNodes; ++i) {
      RedisServer::Options options;
      options.tcp = true;
      options.config = {"cluster-enabled yes", "cluster-node-timeout 1000",
                        "cluster-port " + std::to_string(test::free_port()),
                        "cluster-require-full-coverage no"};
      nodes.push_back(std::make_unique<RedisServer>(std::move(options)));
    }
    for (int i = 0; i < kNodes; ++i) {
      const int first = kRedisSlots * i / kNodes;
      const int last = kRedisSlots * (i + 1) / kNodes - 1;
      nodes[i]->tell("CLUSTER ADDSLOTSRANGE " + std::to_string(first) + " " + std::to_string(last));
      nodes[i]->tell("CLUSTER SET-CONFIG-EPOCH " + std::to_string(i + 1));
    }
    for (int i = 1; i < kNodes; ++i) {
      nodes[i]->tell("CLUSTER MEET 127.0.0.1 " + std::to_string(nodes[0]->port()) + " " +
                     bus_port(*nodes[0]));
    }
    ASSERT_TRUE(comes([&] {
      for (const auto& node : nodes) {
        const std::string info = node->tell("CLUSTER INFO");
        if (info.find("cluster_state:ok") == info.npos) return false;
        if (info.find("cluster_slots_assigned:16384") == info.npos) return false;
      }
      return true;
    }));
  }

  static std::string bus_port(const RedisServer& node) {
    const std::string reply = node.tell("CONFIG GET cluster-port");
    const size_t end = reply.size() - 2;
    return reply.substr(0, end).substr(reply.rfind('\n', end - 1) + 1);
  }
  static std::string id_of(const RedisServer& node) {
    const std::string reply = node.tell("CLUSTER MYID");  // "$40\r\n<id>\r\n"
    return reply.substr(reply.find('\n') + 1, 40);
  }
  std::string url() const {
    return "redis+cluster://" + nodes[0]->address() + "," + nodes[1]->address();
  }
  // A key of this node's slots.
  static std::string key_at(int node) {
    for (int i = 0;; ++i) {
      std::string key = "key" + std::to_string(i);
      if (redis_slot(key) * kNodes / kRedisSlots == node) return key;
    }
  }

  std::vector<std::unique_ptr<RedisServer>> nodes;
};

TEST_F(RedisClusterTest, EveryKeyFindsItsNodeWhateverHappensToTheCluster) {
  const auto client = client_for(url());
  // Before the map is known: by redirections.
  for (int i = 0; i < 30; ++i) {
    const std::string key = "k" + std::to_string(i);
    EXPECT_EQ(text(ask(*client, RedisCommand("SET", key, i))), "OK");
    EXPECT_EQ(text(ask(*client, RedisCommand("GET", key))), std::to_string(i));
  }
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(text(ask(*client, RedisCommand("PING"))), "PONG");
  const RedisScript script("return redis.call('GET', KEYS[1])");
  EXPECT_EQ(text(eval(*client, script, {"k7"}, {})), "7");

  // A slot on its way: ASK for keys that are not there any more. Then it has arrived: MOVED.
  const std::string key = key_at(0);
  const std::string slot = std::to_string(redis_slot(key));
  nodes[1]->tell("CLUSTER SETSLOT " + slot + " IMPORTING " + id_of(*nodes[0]));
  nodes[0]->tell("CLUSTER SETSLOT " + slot + " MIGRATING " + id_of(*nodes[1]));
  EXPECT_EQ(text(ask(*client, RedisCommand("SET", key, "new"))), "OK");
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", key))), "new");
  for (const int i : {1, 0, 2}) {
    nodes[i]->tell("CLUSTER SETSLOT " + slot + " NODE " + id_of(*nodes[1]));
  }
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", key))), "new");

  // One dies: its keys fail, at once after a while; the others' do not.
  nodes[2]->kill();
  ASSERT_TRUE(comes([&] { return !client->status().up; }));
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", key_at(2)))), RedisFault::Down);
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", key))), "new");
  nodes[2]->start();
  ASSERT_TRUE(comes_up(*client));
  ASSERT_TRUE(
      comes([&] { return text(ask(*client, RedisCommand("SET", key_at(2), "back"))) == "OK"; }));
}

}  // namespace
}  // namespace sluice::net
