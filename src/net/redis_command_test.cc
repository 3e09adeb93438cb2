#include "net/redis_command.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

std::string wire(const RedisCommand& command) {
  std::string bytes;
  command.append_to(bytes);
  return bytes;
}

TEST(RedisCommand, IsAnArrayOfStrings) {
  EXPECT_EQ(wire(RedisCommand("PING")), "*1\r\n$4\r\nPING\r\n");
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(wire(RedisCommand("SET", "k", "a\0\r\n"sv, "PX", 60'000)),
            "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\0\r\n\r\n$2\r\nPX\r\n$5\r\n60000\r\n"sv);
}

TEST(RedisCommand, GivesItsWordsBack) {
  RedisCommand command("EVAL", "return 1", 2, "", "key");
  command.add(-5);
  ASSERT_EQ(command.size(), 6u);
  EXPECT_EQ(command.word(0), "EVAL");
  EXPECT_EQ(command.word(2), "2");
  EXPECT_EQ(command.word(3), "");
  EXPECT_EQ(command.word(5), "-5");
  EXPECT_EQ(command.word(6), "");
}

TEST(RedisCommand, TakesTheTailOfAnotherOne) {
  RedisCommand eval("EVAL", "source");
  eval.add_words(RedisCommand("EVALSHA", "hash", 1, "k", "a"), 2);
  EXPECT_EQ(wire(eval), wire(RedisCommand("EVAL", "source", 1, "k", "a")));
  eval.add_words(RedisCommand("PING"), 1);
  EXPECT_EQ(eval.size(), 5u);
}

TEST(RedisCommand, KnowsItsKey) {
  EXPECT_EQ(RedisCommand("GET", "a").key(), "a");
  EXPECT_EQ(RedisCommand("xadd", "stream", "*", "f", "v").key(), "stream");
  EXPECT_EQ(RedisCommand("EVALSHA", "hash", 2, "k1", "k2", "x").key(), "k1");
  EXPECT_EQ(RedisCommand("Eval", "source", 0, "x").key(), std::nullopt);
  EXPECT_EQ(RedisCommand("XREAD", "COUNT", 10, "BLOCK", 50, "STREAMS", "s", "$").key(), "s");
  EXPECT_EQ(RedisCommand("XREAD", "COUNT", 10).key(), std::nullopt);
  EXPECT_EQ(RedisCommand("XGROUP", "CREATE", "s", "g", "$").key(), "s");
  EXPECT_EQ(RedisCommand("PING").key(), std::nullopt);
  EXPECT_EQ(RedisCommand("PUBLISH", "channel", "x").key(), std::nullopt);
}

// The examples of the Redis cluster specification, and what CLUSTER KEYSLOT says.
TEST(RedisSlot, IsTheOneThatRedisComputes) {
  EXPECT_EQ(redis_slot("123456789"), 0x31C3);
  EXPECT_EQ(redis_slot("foo"), 12182);
  EXPECT_EQ(redis_slot("{user1000}.following"), redis_slot("{user1000}.followers"));
  EXPECT_EQ(redis_slot("{user1000}.following"), redis_slot("user1000"));
  EXPECT_EQ(redis_slot("foo{{bar}}zap"), redis_slot("{bar"));
  EXPECT_EQ(redis_slot("foo{bar}{zap}"), redis_slot("bar"));
  EXPECT_NE(redis_slot("foo{}{bar}"), redis_slot("bar"));
  EXPECT_EQ(redis_slot(""), 0);
}

}  // namespace
}  // namespace sluice::net
