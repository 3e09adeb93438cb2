#include "net/redis_reply.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

using Kind = RedisReply::Kind;

constexpr std::string_view kEveryType =
    "+OK\r\n"
    "-ERR no\r\n"
    ":-42\r\n"
    "$5\r\na\r\nbc\r\n"
    "$0\r\n\r\n"
    "$-1\r\n"
    "*-1\r\n"
    "*0\r\n"
    "*3\r\n$1\r\nx\r\n*2\r\n:1\r\n-WRONGTYPE in here\r\n$-1\r\n"
    "_\r\n"
    "#t\r\n"
    ",1.25\r\n"
    ",-inf\r\n"
    "(3492890328409238509324850943850943825024385\r\n"
    "!5\r\nERR x\r\n"
    "=7\r\ntxt:abc\r\n"
    "%1\r\n+key\r\n:7\r\n"
    "~1\r\n:9\r\n"
    "|1\r\n+ttl\r\n:3600\r\n"
    "*1\r\n|0\r\n:8\r\n"
    ">2\r\n+message\r\n+hello\r\n";

std::string describe(const RedisReply& reply) {
  static constexpr std::string_view kNames[] = {
      "null", "status", "error", "int", "double", "bool", "string", "array", "map", "set", "push"};
  std::string text(kNames[static_cast<size_t>(reply.kind)]);
  if (reply.kind == Kind::Integer || reply.kind == Kind::Boolean)
    text += " " + std::to_string(reply.integer);
  if (reply.kind == Kind::Double) text += " " + std::to_string(reply.number);
  if (!reply.text.empty()) text += " '" + reply.text + "'";
  if (!reply.items.empty()) text += " [";
  for (const RedisReply& item : reply.items) text += describe(item) + ";";
  if (!reply.items.empty()) text += "]";
  return text;
}

std::vector<std::string> read_all(RespReader& reader) {
  std::vector<std::string> replies;
  for (;;) {
    Result<std::optional<RedisReply>> reply = reader.next();
    if (!reply) {
      replies.push_back("bad: " + reply.error().message());
      return replies;
    }
    if (!reply->has_value()) return replies;
    replies.push_back(describe(**reply));
  }
}

std::vector<std::string> read(std::string_view bytes, RespLimits limits = RespLimits()) {
  RespReader reader(limits);
  reader.feed(bytes);
  return read_all(reader);
}

const std::vector<std::string>& every_reply() {
  static const std::vector<std::string> kReplies{
      "status 'OK'",
      "error 'ERR no'",
      "int -42",
      "string 'a\r\nbc'",
      "string",
      "null",
      "null",
      "array",
      "array [string 'x';array [int 1;error 'WRONGTYPE in here';];null;]",
      "null",
      "bool 1",
      "double 1.250000",
      "double -inf",
      "string '3492890328409238509324850943850943825024385'",
      "error 'ERR x'",
      "string 'abc'",
      "map [status 'key';int 7;]",
      "set [int 9;]",
      "array [int 8;]",
      "push [status 'message';status 'hello';]"};
  return kReplies;
}

std::string error_of(std::string_view bytes, RespLimits limits = RespLimits()) {
  const std::vector<std::string> replies = read(bytes, limits);
  return replies.empty() || !replies.back().starts_with("bad: ") ? "" : replies.back();
}

TEST(RespReader, ReadsEveryTypeOfRespTwoAndThree) {
  EXPECT_EQ(read(kEveryType), every_reply());
}

TEST(RespReader, ReadsTheSameSplitAtEveryByte) {
  for (size_t split = 0; split <= kEveryType.size(); ++split) {
    RespReader reader;
    reader.feed(kEveryType.substr(0, split));
    std::vector<std::string> replies = read_all(reader);
    reader.feed(kEveryType.substr(split));
    for (std::string& reply : read_all(reader)) replies.push_back(std::move(reply));
    EXPECT_EQ(replies, every_reply()) << "split at " << split;
  }
}

TEST(RespReader, ReadsTheSameByteByByte) {
  RespReader reader;
  std::vector<std::string> replies;
  for (const char c : kEveryType) {
    reader.feed({&c, 1});
    for (std::string& reply : read_all(reader)) replies.push_back(std::move(reply));
  }
  EXPECT_EQ(replies, every_reply());
}

TEST(RespReader, RefusesWhatIsNoReply) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "+OK\n", "+O\rK\r\n", "\r\n", ":1x\r\n", ":\r\n", "$-2\r\n",
        "$3x\r\nabc\r\n", "$3\r\nabcd\r\n", "$99999999999999999999\r\n", "*-2\r\n", "*x\r\n",
        "%-1\r\n", "#x\r\n", "_x\r\n", ",abc\r\n", "=3\r\nabc\r\n", "*1\r\n*1\r\n?\r\n"}) {
    EXPECT_NE(error_of(bytes), "") << bytes;
  }
}

TEST(RespReader, SaysTheSameForEverAfterAnError) {
  RespReader reader;
  reader.feed("?\r\n+OK\r\n");
  EXPECT_FALSE(reader.next());
  reader.feed("+OK\r\n");
  EXPECT_FALSE(reader.next());
}

TEST(RespReader, HasLimits) {
  const RespLimits small{.bytes = 40, .values = 4, .depth = 2, .line = 10};
  EXPECT_EQ(error_of("*2\r\n*1\r\n:1\r\n:2\r\n", small), "");
  EXPECT_NE(error_of("*1\r\n*1\r\n*1\r\n:1\r\n", small).find("deeply"), std::string::npos);
  EXPECT_NE(error_of("*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n", small).find("many"), std::string::npos);
  EXPECT_NE(error_of("*5\r\n", small).find("many"), std::string::npos);
  EXPECT_NE(error_of("$41\r\n", small).find("large"), std::string::npos);
  EXPECT_NE(error_of("+0123456789abc", small).find("long"), std::string::npos);
  // The limits are of one reply, not of the connection.
  EXPECT_EQ(error_of("*3\r\n:1\r\n:2\r\n:3\r\n*3\r\n:1\r\n:2\r\n:3\r\n", small), "");
}

TEST(RespReader, AHugeClaimTakesNoMemory) {
  RespReader reader;
  reader.feed("*1000000\r\n");
  const Result<std::optional<RedisReply>> reply = reader.next();
  ASSERT_TRUE(reply);
  EXPECT_FALSE(reply->has_value());
}

TEST(RespReader, ReadsALargeStringInManyPieces) {
  const std::string blob(3'000'000, 'x');
  RespReader reader;
  reader.feed("*2\r\n$3000000\r\n");
  for (size_t at = 0; at < blob.size(); at += 10'000) {
    EXPECT_TRUE(read_all(reader).empty());
    reader.feed(std::string_view(blob).substr(at, 10'000));
  }
  reader.feed("\r\n:1\r\n");
  Result<std::optional<RedisReply>> reply = reader.next();
  ASSERT_TRUE(reply && reply->has_value());
  EXPECT_EQ((*reply)->items[0].text, blob);
}

TEST(RedisError, TellsKindsApart) {
  const auto fault = [](std::string_view text) { return redis_fault(redis_error(text)); };
  EXPECT_EQ(fault("LOADING Redis is loading the dataset in memory"), RedisFault::Loading);
  EXPECT_EQ(fault("BUSY Redis is busy running a script."), RedisFault::Busy);
  EXPECT_EQ(fault("OOM command not allowed when used memory > 'maxmemory'."),
            RedisFault::OutOfMemory);
  EXPECT_EQ(fault("READONLY You can't write against a read only replica."), RedisFault::ReadOnly);
  EXPECT_EQ(fault("NOAUTH Authentication required."), RedisFault::Denied);
  EXPECT_EQ(fault("WRONGTYPE Operation against a key"), RedisFault::WrongType);
  EXPECT_EQ(fault("NOSCRIPT No matching script."), RedisFault::NoScript);
  EXPECT_EQ(fault("ERR something else"), RedisFault::Other);
  EXPECT_EQ(redis_fault(Error(Outcome::TotalTimeout, "late")), RedisFault::Deadline);
  EXPECT_EQ(redis_fault(Error(Outcome::UpstreamReset, "gone")), RedisFault::Down);
  EXPECT_EQ(redis_fault(Error(Outcome::UpstreamBadReply, "?")), RedisFault::BadReply);
}

TEST(RedisError, DoesNotRepeatTheArgumentsOfACommand) {
  const Error error =
      redis_error("ERR unknown command 'AUTH', with args beginning with: 'hunter2' ");
  EXPECT_EQ(error.message(), "Redis says: ERR unknown command 'AUTH'");
}

}  // namespace
}  // namespace sluice::net
