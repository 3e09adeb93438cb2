#include "net/redis_url.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

using Mode = RedisUrl::Mode;

RedisUrl parsed(std::string_view text) {
  Result<RedisUrl> url = parse_redis_url(text);
  EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().message());
  return url ? *std::move(url) : RedisUrl();
}

TEST(RedisUrl, NamesOneServer) {
  const RedisUrl url = parsed("redis://Cache.example:6380/3");
  EXPECT_EQ(url.mode, Mode::Single);
  EXPECT_FALSE(url.tls);
  ASSERT_EQ(url.endpoints.size(), 1u);
  EXPECT_EQ(url.endpoints[0].text(), "cache.example:6380");
  EXPECT_EQ(url.db, 3);
  EXPECT_TRUE(url.user.empty());
  EXPECT_TRUE(url.password.empty());
}

TEST(RedisUrl, HasDefaults) {
  const RedisUrl url = parsed("rediss://localhost/");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.endpoints[0].port, 6379);
  EXPECT_EQ(url.db, 0);
  EXPECT_EQ(parsed("redis+sentinel://a/m").endpoints[0].port, 26379);
}

TEST(RedisUrl, KeepsTheLogin) {
  const RedisUrl url = parsed("redis://app:p%40ss%3Aword%25@h:1");
  EXPECT_EQ(url.user, "app");
  EXPECT_TRUE(url.password.equals("p@ss:word%"));
  EXPECT_TRUE(parsed("redis://:secret@h").password.equals("secret"));
  EXPECT_TRUE(parsed("redis://:secret@h").user.empty());
  EXPECT_TRUE(parsed("redis://secret@h").password.equals("secret"));
}

TEST(RedisUrl, NamesSentinelsAndTheirService) {
  const RedisUrl url = parsed("rediss+sentinel://:pw@h1:26380,[::1]:7,h2/my-master/2");
  EXPECT_EQ(url.mode, Mode::Sentinel);
  EXPECT_TRUE(url.tls);
  ASSERT_EQ(url.endpoints.size(), 3u);
  EXPECT_EQ(url.endpoints[0].text(), "h1:26380");
  EXPECT_EQ(url.endpoints[1].text(), "[::1]:7");
  EXPECT_EQ(url.endpoints[2].text(), "h2:26379");
  EXPECT_EQ(url.service, "my-master");
  EXPECT_EQ(url.db, 2);
}

TEST(RedisUrl, NamesNodesOfACluster) {
  const RedisUrl url = parsed("redis+cluster://a:1,b:2");
  EXPECT_EQ(url.mode, Mode::Cluster);
  EXPECT_EQ(url.endpoints.size(), 2u);
}

TEST(RedisUrl, NamesASocket) {
  const RedisUrl url = parsed("unix://:pw@/run/redis/redis.sock?db=4");
  EXPECT_EQ(url.endpoints[0].text(), "/run/redis/redis.sock");
  EXPECT_EQ(url.endpoints[0].port, 0);
  EXPECT_EQ(url.db, 4);
  EXPECT_TRUE(url.password.equals("pw"));
}

TEST(RedisUrl, IsShownWithoutTheLogin) {
  for (const std::string text :
       {"redis://h:6379", "rediss://h:1/2", "redis+sentinel://a:1,[::1]:2/svc/3",
        "rediss+cluster://a:1,b:2", "unix:///run/r.sock", "unix:///run/r.sock?db=1"}) {
    EXPECT_EQ(parsed(text).text(), text);
    const size_t host = text.find("://") + 3;
    const std::string with_login = text.substr(0, host) + "user:hunter2@" + text.substr(host);
    EXPECT_EQ(parsed(with_login).text(), text);
  }
}

struct Bad {
  std::string_view text;
  std::string_view part;
};

TEST(RedisUrl, SaysWhichPartIsAtFaultAndNeverThePassword) {
  for (const Bad& bad : {Bad{"http://:hunter2@h", "scheme"},
                         Bad{"hunter2", "scheme"},
                         Bad{"redis://:hunter2@", "host"},
                         Bad{"redis://:hunter2@h:0", "port"},
                         Bad{"redis://:hunter2@h:x", "port"},
                         Bad{"redis://:hunter2@h:65536", "port"},
                         Bad{"redis://:hunter2@a b", "host"},
                         Bad{"redis://:hunter2@a,b", "host"},
                         Bad{"redis://:hunter2@a,", "host"},
                         Bad{"redis://:hunter2@[x]", "host"},
                         Bad{"redis://:hunter2@h/x", "db"},
                         Bad{"redis://:hunter2@h/-1", "db"},
                         Bad{"redis://:hunter2@h/0/1", "db"},
                         Bad{"redis://hunter2:@h", "user"},
                         Bad{"redis://:hun/ter2#@h?db=1", "host"},
                         Bad{"redis+sentinel://:hunter2@h", "service"},
                         Bad{"redis+sentinel://:hunter2@h/", "service"},
                         Bad{"redis+cluster://:hunter2@h/1", "db"},
                         Bad{"unix://:hunter2@relative", "host"},
                         Bad{"unix:///a?db=x", "db"},
                         Bad{"unix:///a?other=1", "db"}}) {
    const Result<RedisUrl> url = parse_redis_url(bad.text);
    ASSERT_FALSE(url) << bad.text;
    EXPECT_EQ(url.error().param(), bad.part) << bad.text;
    EXPECT_EQ(url.error().outcome(), Outcome::BadRequest);
    EXPECT_EQ(url.error().message().find("hunter2"), std::string::npos) << url.error().message();
    EXPECT_EQ(url.error().message().find("ter2"), std::string::npos) << url.error().message();
  }
}

}  // namespace
}  // namespace sluice::net
