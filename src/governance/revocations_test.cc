// Instances that tell each other what was revoked, through a real redis-server.
#include "governance/revocations.h"

#include "net/redis_test_base.h"

namespace sluice::governance {
namespace {

using test::RedisServer;

struct Instance {
  std::unique_ptr<net::RedisClient> client;
  std::vector<Revocation> heard;
  bool takes = true;
  std::unique_ptr<Revocations> revocations;
};

class RevocationsTest : public net::RedisTest {
 protected:
  std::unique_ptr<Instance> instance(const std::vector<Revocation>& known = {}) {
    auto made = std::make_unique<Instance>();
    made->client = client_for(server.url());
    made->revocations = std::make_unique<Revocations>(
        loop, *made->client, "s", known, [&to = *made](const std::vector<Revocation>& news) {
          to.heard.insert(to.heard.end(), news.begin(), news.end());
          return to.takes;
        });
    return made;
  }
  static Revocation revoked(const std::string& text) {
    return {.text = sha256_of(text), .key = "key of " + text};
  }
  std::string in_redis(const std::string& text) {
    return server.tell("HGET s:revoked " + hex_of(sha256_of(text)));
  }
  bool holds(const std::string& text) {
    return comes([&] { return in_redis(text).find("key of " + text) != std::string::npos; });
  }

  RedisServer server;
};

TEST_F(RevocationsTest, WhatOneTellsTheOthersHearOnce) {
  const auto a = instance();
  const auto b = instance();
  a->revocations->tell({revoked("x"), revoked("y")});
  ASSERT_TRUE(comes([&] { return b->heard.size() == 2; }));
  b->revocations->tell({revoked("z")});
  ASSERT_TRUE(comes([&] { return a->heard.size() == 1; }));
  EXPECT_EQ(a->heard[0].text, sha256_of("z"));
  EXPECT_EQ(a->heard[0].key, "key of z");
  EXPECT_EQ(b->heard.size(), 2U);
}

TEST_F(RevocationsTest, SEC_5_TheOthersHearWithinHalfASecond) {
  const auto a = instance();
  const auto b = instance();
  ASSERT_TRUE(comes([&] { return a->client->status().up && b->client->status().up; }));
  a->revocations->tell({revoked("x")});
  EXPECT_TRUE(comes([&] { return !b->heard.empty(); }, 500 * kMillisecond));
}

TEST_F(RevocationsTest, WhatCouldNotBeTakenIsOfferedAgain) {
  const auto a = instance();
  const auto b = instance();
  ASSERT_TRUE(comes([&] { return a->client->status().up && b->client->status().up; }));
  b->takes = false;
  a->revocations->tell({revoked("x")});
  ASSERT_TRUE(comes([&] { return b->heard.size() == 2; }));
  b->takes = true;
  ASSERT_TRUE(comes([&] { return b->heard.size() == 3; }));
  for (const Revocation& each : b->heard) EXPECT_EQ(each.text, sha256_of("x"));
}

TEST_F(RevocationsTest, WhatIsKnownAtTheStartIsNoNewsAndIsTold) {
  const auto a = instance({revoked("x")});
  ASSERT_TRUE(holds("x"));
  const auto b = instance({revoked("y")});
  ASSERT_TRUE(holds("y"));
  ASSERT_TRUE(comes([&] { return !a->heard.empty(); }));
  EXPECT_EQ(a->heard[0].text, sha256_of("y"));
  const std::vector<Revocation>& known = b->revocations->at_start();
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].text, sha256_of("x"));
}

TEST_F(RevocationsTest, ARedisThatWasEmptiedIsToldAgain) {
  const auto a = instance({revoked("x")});
  const auto b = instance({revoked("y")});
  ASSERT_TRUE(holds("x") && holds("y"));
  server.tell("FLUSHALL");
  EXPECT_TRUE(holds("x"));
  EXPECT_TRUE(holds("y"));
}

TEST_F(RevocationsTest, AnOldCopyOfRedisIsToldWhatItMisses) {
  const auto a = instance({revoked("x")});
  ASSERT_TRUE(holds("x"));
  const std::string old = server.tell("HGET s:revoked revision");
  a->revocations->tell({revoked("y")});
  ASSERT_TRUE(holds("y"));
  EXPECT_NE(server.tell("HGET s:revoked revision"), old);
  // As it was before, with the revision of then.
  server.tell("HDEL s:revoked " + hex_of(sha256_of("y")));
  server.tell("HSET s:revoked revision before");
  EXPECT_TRUE(holds("y"));
}

TEST_F(RevocationsTest, R7_WhatAnotherProgramPutThereCountsAsNothing) {
  server.tell("SET s:revoked something");
  const auto a = instance({revoked("x")});
  EXPECT_TRUE(holds("x"));
  server.tell("HSET s:revoked nodigest n revision other");
  const auto b = instance();
  a->revocations->tell({revoked("y")});
  ASSERT_TRUE(holds("y"));
  EXPECT_EQ(a->heard.size(), 0U);
}

TEST_F(RevocationsTest, WhatIsToldWhileRedisIsAwayIsToldWhenItIsBack) {
  const auto a = instance();
  const auto b = instance();
  ASSERT_TRUE(comes([&] { return a->client->status().up && b->client->status().up; }));
  server.kill();
  ASSERT_TRUE(comes([&] { return !a->client->status().up; }));
  a->revocations->tell({revoked("x")});
  server.start();
  EXPECT_TRUE(comes([&] { return b->heard.size() == 1; }));
}

}  // namespace
}  // namespace sluice::governance
