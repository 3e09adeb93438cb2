#include "net/redis.h"

#include "net/redis_test_base.h"
#include "tests/support/certs.h"

namespace sluice::net {
namespace {

using test::RedisServer;

TEST_F(RedisTest, AnswersWithValuesOfEveryKind) {
  const RedisServer server;
  const auto client = client_for(server.url());
  EXPECT_EQ(text(ask(*client, RedisCommand("SET", "k", "v"))), "OK");
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "k"))), "v");
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "missing"))), "null");
  EXPECT_EQ(text(ask(*client, RedisCommand("INCRBY", "n", 5))), "5");
  const Answer both = ask(*client, RedisCommand("MGET", "k", "missing", "n"));
  ASSERT_TRUE(both);
  ASSERT_EQ(both->items.size(), 3u);
  EXPECT_EQ(both->items[0].text, "v");
  EXPECT_TRUE(both->items[1].is_null());
  EXPECT_EQ(both->items[2].number_of(), 5);
  EXPECT_EQ(fault(ask(*client, RedisCommand("LPUSH", "k", "x"))), RedisFault::WrongType);
  EXPECT_NE(server.tell("CLIENT LIST").find("name=sluice"), std::string::npos);
}

TEST_F(RedisTest, CarriesBlobsOfAnyBytes) {
  const RedisServer server;
  const auto client = client_for(server.url());
  std::string blob(5'000'000, '\0');
  for (size_t i = 0; i < blob.size(); ++i) blob[i] = static_cast<char>(i * 7);
  EXPECT_EQ(text(ask(*client, RedisCommand("SET", "blob", blob))), "OK");
  EXPECT_TRUE(text(ask(*client, RedisCommand("GET", "blob"))) == blob);
}

TEST_F(RedisTest, ReadsWhatWasAddedToAStream) {
  const RedisServer server;
  const auto client = client_for(server.url());
  const std::string id = text(ask(*client, RedisCommand("XADD", "log", "*", "op", "add")));
  const Answer read = ask(*client, RedisCommand("XREAD", "COUNT", 10, "STREAMS", "log", 0));
  ASSERT_TRUE(read && read->items.size() == 1);
  const RedisReply& entries = read->items[0].items[1];
  ASSERT_EQ(entries.items.size(), 1u);
  EXPECT_EQ(entries.items[0].items[0].text, id);
  EXPECT_EQ(entries.items[0].items[1].items[1].text, "add");
}

TEST_F(RedisTest, ManyCoroutinesShareOneConnection) {
  const RedisServer server;
  const auto client = client_for(server.url());
  std::vector<std::optional<Answer>> answers(300);
  for (auto& answer : answers) begin(*client, RedisCommand("INCR", "n"), 2 * kSecond, answer);
  ASSERT_TRUE(comes([&] { return answers.back().has_value(); }));
  for (size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i].has_value());
    EXPECT_EQ(text(*answers[i]), std::to_string(i + 1));
  }
  const RedisStatus status = client->status();
  EXPECT_EQ(status.connects, 1u);
  EXPECT_EQ(status.round_trips, 300u);
  EXPECT_EQ(status.failures, 0u);
  EXPECT_GT(status.latency, 0);
}

TEST_F(RedisTest, R8_AForgottenScriptIsSentAgain) {
  const RedisServer server;
  const auto client = client_for(server.url());
  const RedisScript script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}");
  EXPECT_EQ(script.sha1().size(), 40u);
  for (const int round : {1, 2}) {
    const Answer answer = eval(*client, script, {"k"}, {"a"});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->items[0].text, "k");
    EXPECT_EQ(answer->items[1].text, "a");
    EXPECT_EQ(answer->items[2].integer, round);
  }
  EXPECT_NE(server.tell("SCRIPT EXISTS " + script.sha1()).find(":1"), std::string::npos);
  server.tell("SCRIPT FLUSH");
  EXPECT_EQ(eval(*client, script, {"k"}, {"a"})->items[2].integer, 3);
  EXPECT_EQ(fault(eval(*client, RedisScript("return redis.error_reply('MINE no')"), {}, {})),
            RedisFault::Other);
}

TEST_F(RedisTest, R6_AfterAFlushAKeyIsMissingAndNotZero) {
  const RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_EQ(text(ask(*client, RedisCommand("SET", "spent", 7))), "OK");
  server.tell("FLUSHALL");
  EXPECT_TRUE(ask(*client, RedisCommand("GET", "spent"))->is_null());
}

TEST_F(RedisTest, R6_AFullServerIsToldApart) {
  const RedisServer server;
  const auto client = client_for(server.url());
  server.tell("CONFIG SET maxmemory 1mb");
  EXPECT_EQ(fault(ask(*client, RedisCommand("SET", "k", std::string(100'000, 'x')))),
            RedisFault::OutOfMemory);
  EXPECT_TRUE(client->status().up);
}

TEST_F(RedisTest, ABusyServerIsToldApart) {
  const RedisServer server;
  server.tell("CONFIG SET busy-reply-threshold 10");
  const auto busy = client_for(server.url());
  const auto other = client_for(server.url());
  ASSERT_TRUE(comes_up(*busy) && comes_up(*other));
  std::optional<Answer> endless;
  begin(*busy, RedisCommand("EVAL", "while true do end", 0), 5 * kSecond, endless);
  ASSERT_TRUE(comes([&] {
    const Answer answer = ask(*other, RedisCommand("GET", "k"));
    return !answer && redis_fault(answer.error()) == RedisFault::Busy;
  }));
  server.tell("SCRIPT KILL");
  ASSERT_TRUE(comes([&] { return endless.has_value(); }));
  EXPECT_EQ(fault(*endless), RedisFault::Other);
}

TEST_F(RedisTest, LogsInAndChoosesTheDatabase) {
  RedisServer server(
      {.tcp = true, .config = {"requirepass hunter2", "user app on >s3cret ~* +@all"}});
  const std::string place = server.address();
  const auto by_password = client_for("redis://:hunter2@" + place + "/5");
  EXPECT_EQ(text(ask(*by_password, RedisCommand("SET", "k", "five"))), "OK");
  const auto by_user = client_for("redis://app:s3cret@" + place);
  EXPECT_EQ(text(ask(*by_user, RedisCommand("GET", "k"))), "null");
  EXPECT_EQ(text(ask(*by_user, RedisCommand("ACL", "WHOAMI"))), "app");
}

TEST_F(RedisTest, AWrongPasswordIsToldApartAndNeverShown) {
  RedisServer server({.tcp = true, .config = {"requirepass hunter2"}});
  const auto wrong = client_for("redis://:hunter3@" + server.address());
  const Answer answer = ask(*wrong, RedisCommand("PING"));
  EXPECT_EQ(fault(answer), RedisFault::Denied);
  EXPECT_EQ(fault(ask(*wrong, RedisCommand("PING"))), RedisFault::Denied);
  const auto without = client_for("redis://" + server.address());
  EXPECT_EQ(fault(ask(*without, RedisCommand("PING"))), RedisFault::Denied);
  EXPECT_EQ(wrong->status().last_error.find("hunter"), std::string::npos);
  EXPECT_NE(wrong->status().last_error.find("WRONGPASS"), std::string::npos);
}

TEST_F(RedisTest, AServerThatTakesNoMoreClientsSaysSo) {
  const RedisServer server({.config = {"maxclients 1"}});
  const auto first = client_for(server.url());
  ASSERT_TRUE(comes_up(*first));
  const auto second = client_for(server.url());
  EXPECT_EQ(fault(ask(*second, RedisCommand("PING"))), RedisFault::Other);
  EXPECT_NE(second->status().last_error.find("max number of clients"), std::string::npos)
      << second->status().last_error;
}

TEST_F(RedisTest, ManyBlobsAtOnceFillTheSocketAndStillArriveInOrder) {
  const RedisServer server;
  const auto client = client_for(server.url());
  std::vector<std::optional<Answer>> answers(40);
  for (size_t i = 0; i < answers.size(); i += 2) {
    const std::string blob(200'000 + i, static_cast<char>('a' + i % 26));
    begin(*client, RedisCommand("SET", "k", blob), 5 * kSecond, answers[i]);
    begin(*client, RedisCommand("GET", "k"), 5 * kSecond, answers[i + 1]);
  }
  ASSERT_TRUE(comes([&] { return answers.back().has_value(); }));
  for (size_t i = 0; i < answers.size(); i += 2) {
    EXPECT_EQ(text(*answers[i]), "OK");
    EXPECT_TRUE(text(*answers[i + 1]) == std::string(200'000 + i, static_cast<char>('a' + i % 26)));
  }
}

TEST_F(RedisTest, R8_ALostLoginIsMadeAgain) {
  RedisServer server({.tcp = true, .config = {"requirepass hunter2"}});
  const auto client = client_for("redis://:hunter2@" + server.address());
  EXPECT_EQ(text(ask(*client, RedisCommand("RESET"))), "RESET");
  EXPECT_EQ(fault(ask(*client, RedisCommand("GET", "k"))), RedisFault::Denied);
  ASSERT_TRUE(comes([&] { return client->status().connects == 2; }));
  EXPECT_EQ(text(ask(*client, RedisCommand("GET", "k"))), "null");
}

TEST_F(RedisTest, R8_AReplicaIsLeft) {
  const RedisServer server;
  const auto client = client_for(server.url());
  ASSERT_TRUE(comes_up(*client));
  server.tell("REPLICAOF 127.0.0.1 1");
  EXPECT_EQ(fault(ask(*client, RedisCommand("SET", "k", "v"))), RedisFault::ReadOnly);
  EXPECT_FALSE(client->status().up);
  server.tell("REPLICAOF NO ONE");
  ASSERT_TRUE(comes_up(*client));
  EXPECT_EQ(text(ask(*client, RedisCommand("SET", "k", "v"))), "OK");
}

TEST_F(RedisTest, SpeaksTlsAndChecksTheCertificate) {
  test::TestAuthority authority;
  const test::CertificateFiles files = authority.issue("redis");
  RedisServer server(
      {.tls = true,
       .config = {"tls-cert-file " + files.cert, "tls-key-file " + files.key,
                  "tls-ca-cert-file " + authority.ca_file(), "tls-auth-clients no"}});
  RedisOptions options = options_for("rediss://" + server.address());
  options.tls = *TlsClientContext::make({.ca_file = authority.ca_file(), .http = false});
  RedisClient good(loop, resolver, options);
  const std::string blob(300'000, 'x');
  EXPECT_EQ(text(ask(good, RedisCommand("SET", "k", blob))), "OK");
  EXPECT_TRUE(text(ask(good, RedisCommand("GET", "k"))) == blob);

  const test::TestAuthority other;
  options.tls = *TlsClientContext::make({.ca_file = other.ca_file(), .http = false});
  RedisClient doubtful(loop, resolver, options);
  EXPECT_EQ(fault(ask(doubtful, RedisCommand("PING"))), RedisFault::Down);
  EXPECT_NE(doubtful.status().last_error.find("certificate"), std::string::npos);

  options.tls = nullptr;
  RedisClient plain(loop, resolver, options);
  EXPECT_EQ(fault(ask(plain, RedisCommand("PING"))), RedisFault::Down);
}

}  // namespace
}  // namespace sluice::net
