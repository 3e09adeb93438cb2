#include "net/redis_connection.h"

#include <gtest/gtest.h>
#include <map>

#include "tests/support/manual_clock.h"
#include "tests/support/memory_stream.h"

namespace sluice::net {
namespace {

class RedisConnectionTest : public testing::Test, public RedisConnection::Owner {
 protected:
  void attach() {
    RedisLink link;
    link.stream = peer->stream();
    link.peer.host = "redis.test";
    link.peer.port = 6379;
    connection.attach(std::move(link));
    settle();
  }
  void settle() {
    for (int i = 0; i < 3; ++i) loop.turn(0);
  }
  void pass(Nanos time) {
    clock.advance(time);
    settle();
  }
  static Task<void> send_into(RedisConnection& over, std::string key, Until until,
                              std::string& said) {
    const RedisCommand command("GET", key);
    const Result<RedisReply> reply = co_await over.send(command, false, until);
    said = reply ? reply->text : "failed: " + reply.error().message();
  }
  void send(const std::string& key, Until until = Until::forever()) {
    loop.tasks().spawn(send_into(connection, key, until, said[key]));
  }
  Until in(Nanos time) { return Until(loop.after(time)); }

  test::ManualClock clock;
  Loop loop{clock};
  std::shared_ptr<test::MemoryPeer> peer = std::make_shared<test::MemoryPeer>(loop);
  RedisConnection connection{loop, *this};
  std::map<std::string, std::string> said;
  int lost = 0;

 private:
  void on_lost() override { ++lost; }
};

TEST_F(RedisConnectionTest, GathersTheCommandsOfATurnIntoOneWrite) {
  attach();
  send("a");
  send("b");
  EXPECT_EQ(peer->received(), "");
  settle();
  EXPECT_EQ(peer->received(), "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
  EXPECT_EQ(peer->writes(), 1);
  peer->send("+A\r\n$1\r\n");
  settle();
  EXPECT_EQ(said["a"], "A");
  EXPECT_EQ(said["b"], "");
  peer->send("B\r\n");
  settle();
  EXPECT_EQ(said["b"], "B");
}

TEST_F(RedisConnectionTest, KeepsCommandsFromBeforeItIsThrough) {
  send("a");
  send("late", in(10 * kMillisecond));
  pass(20 * kMillisecond);
  EXPECT_EQ(said["late"].substr(0, 7), "failed:");
  attach();
  peer->send("+A\r\n+LATE\r\n");
  settle();
  EXPECT_EQ(said["a"], "A");
}

TEST_F(RedisConnectionTest, SkipsTheReplyOfAWaitThatIsOver) {
  attach();
  send("a", in(10 * kMillisecond));
  send("b");
  pass(20 * kMillisecond);
  EXPECT_EQ(said["a"], "failed: Redis did not answer in time");
  peer->send("+A\r\n+B\r\n");
  settle();
  EXPECT_EQ(said["b"], "B");
  EXPECT_EQ(lost, 0);
}

TEST_F(RedisConnectionTest, R9_CutAtAnyByteItGivesNoReplyTwiceOrToTheWrongOne) {
  const std::string replies = "$1\r\nA\r\n-ERR B\r\n*1\r\n:3\r\n";
  for (size_t cut = 0; cut < replies.size(); ++cut) {
    auto other = std::make_shared<test::MemoryPeer>(loop);
    RedisConnection one(loop, *this);
    RedisLink link;
    link.stream = other->stream();
    one.attach(std::move(link));
    std::string a;
    std::string b;
    std::string c;
    loop.tasks().spawn(send_into(one, "a", Until::forever(), a));
    loop.tasks().spawn(send_into(one, "b", Until::forever(), b));
    loop.tasks().spawn(send_into(one, "c", Until::forever(), c));
    settle();
    other->send(replies.substr(0, cut));
    settle();
    other->reset();
    settle();
    EXPECT_TRUE(one.failed());
    const size_t end_of_a = replies.find("-ERR");
    const size_t end_of_b = replies.find("*1");
    EXPECT_EQ(a == "A", cut >= end_of_a) << cut;
    EXPECT_EQ(b == "ERR B", cut >= end_of_b) << cut;
    if (cut < end_of_a) EXPECT_EQ(a.substr(0, 7), "failed:") << cut;
    if (cut < end_of_b) EXPECT_EQ(b.substr(0, 7), "failed:") << cut;
    EXPECT_EQ(c.substr(0, 7), "failed:") << cut;
  }
}

TEST_F(RedisConnectionTest, R9_GarbageFailsEverybodyWhoWaits) {
  attach();
  send("a");
  send("b");
  settle();
  peer->send("HTTP/1.1 400 Bad Request\r\n+A\r\n+B\r\n");
  settle();
  EXPECT_EQ(said["a"].substr(0, 7), "failed:");
  EXPECT_EQ(said["b"].substr(0, 7), "failed:");
  EXPECT_EQ(lost, 1);
  send("c");
  settle();
  EXPECT_EQ(said["c"].substr(0, 7), "failed:");
}

TEST_F(RedisConnectionTest, R9_AReplyThatNobodyAskedForEndsIt) {
  attach();
  peer->send("+OK\r\n");
  settle();
  EXPECT_EQ(lost, 1);
  EXPECT_TRUE(connection.failed());
}

TEST_F(RedisConnectionTest, MessagesOutOfBandAnswerNothing) {
  attach();
  send("a");
  settle();
  peer->send(">2\r\n+invalidate\r\n*1\r\n+k\r\n+A\r\n");
  settle();
  EXPECT_EQ(said["a"], "A");
  EXPECT_EQ(lost, 0);
}

TEST_F(RedisConnectionTest, WritesOnWhenThePeerReadsAgain) {
  attach();
  peer->set_room(5);
  send("a");
  settle();
  EXPECT_EQ(peer->received().size(), 5u);
  send("b");
  settle();
  peer->set_room(1000);
  settle();
  EXPECT_EQ(peer->received(), "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
}

TEST_F(RedisConnectionTest, HoldsNoMoreThanItMay) {
  std::string refused;
  for (int i = 0; i < 16 * 1024; ++i) send("k");
  loop.tasks().spawn(send_into(connection, "x", Until::forever(), refused));
  EXPECT_EQ(refused, "failed: too much is waiting for Redis already");
}

}  // namespace
}  // namespace sluice::net
