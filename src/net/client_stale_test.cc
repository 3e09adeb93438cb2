// Kept-alive connections that died while nobody looked (acceptance KA-5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_test_server.h"
#include "tests/support/certs.h"

namespace sluice::net {
namespace {

class StaleConnection : public ClientTest {};

Answer ok(const std::string&) {
  return Answer{ok_reply("x")};
}

TEST_F(StaleConnection, KA_5_AnEndOrResetWhileIdleIsNoticedForFree) {
  for (const Then how : {Then::Close, Then::Reset}) {
    ScriptedServer server(loop_, ok);
    const auto origin = origin_of(server);
    fetch(origin);
    EXPECT_EQ(client_.idle_connections(), 1u);
    server.close_all(how);
    settle();
    EXPECT_EQ(client_.idle_connections(), 0u);
    EXPECT_FALSE(fetch(origin).trace.reused);
    client_.keep_only({});
    pass(origin->idle_timeout);
  }
}

TEST_F(StaleConnection, KA_5_BytesNobodyAskedForEndAnIdleConnection) {
  ScriptedServer server(loop_, [](const std::string&) {
    return Answer{ok_reply("x") + "HTTP/1.1 408 Request Timeout\r\n\r\n", Then::Keep, true};
  });
  const auto origin = origin_of(server);
  fetch(origin);
  settle();
  for (int i = 0; i < 100; ++i) loop_.turn(0);
  EXPECT_FALSE(fetch(origin).trace.reused);
}

// The race that no pool can avoid: the peer closes while the request is on its way. Nothing is
// noticed between the close and the call, as the loop does not turn.
TEST_F(StaleConnection, KA_5_ARequestThatMeetsAnEndIsSentOnceMore) {
  for (const Then how : {Then::Close, Then::Reset}) {
    ScriptedServer server(loop_, ok);
    const auto origin = origin_of(server);
    fetch(origin);
    server.close_all(how);
    const Fetched got = fetch(origin);
    EXPECT_EQ(got.status, 200);
    EXPECT_FALSE(got.trace.reused);
    EXPECT_EQ(server.accepted, 2);
    EXPECT_EQ(server.requests.size(), 2u) << "the peer's program saw it twice";
  }
}

TEST_F(StaleConnection, KA_5_ALargeRequestThatMeetsAnEndIsSentOnceMore) {
  for (const Then how : {Then::Close, Then::Reset}) {
    ScriptedServer server(loop_, ok);
    const auto origin = origin_of(server);
    fetch(origin);
    server.close_all(how);
    const Fetched got = fetch(origin, std::string(8 << 20, 'x'));
    EXPECT_EQ(got.status, 200) << got.message;
    EXPECT_EQ(server.requests.size(), 2u);
  }
}

TEST_F(StaleConnection, KA_5_ARequestIntoTheVoidIsSentOnceMoreAfterAPause) {
  ScriptedServer server(loop_, ok);
  const auto origin = origin_of(server);
  fetch(origin);
  server.close_all(Then::Vanish);
  pass(kSecond);
  EXPECT_EQ(client_.idle_connections(), server.can_vanish ? 1u : 0u) << "the peer said nothing";
  const Fetched got = fetch(origin);
  EXPECT_EQ(got.status, 200) << got.message;
  EXPECT_EQ(server.requests.size(), 2u);
}

// The peer's program has the request: whether it acted on it, nobody knows. Its kernel may not even
// have acknowledged it yet.
TEST_F(StaleConnection, U43_ARequestThatWasReadIsNeverSentAgain) {
  for (const Then how : {Then::Close, Then::Reset}) {
    for (const Nanos pause : {Nanos{0}, kSecond}) {
      int count = 0;
      ScriptedServer server(loop_, [&](const std::string&) {
        return count++ % 2 == 0 ? Answer{ok_reply("x")} : Answer{"", how};
      });
      const auto origin = origin_of(server);
      fetch(origin);
      pass(pause);
      const Fetched got = fetch(origin);
      EXPECT_EQ(got.error, Outcome::UpstreamReset);
      EXPECT_TRUE(got.trace.reused);
      EXPECT_TRUE(got.trace.request_sent);
      EXPECT_EQ(server.requests.size(), 2u);
    }
  }
}

// This thread may have waited for a processor while a program on another one read the request.
TEST_F(StaleConnection, U43_AResetThatIsNotBackAtOnceProvesNothing) {
  ScriptedServer server(loop_, ok);
  const auto origin = origin_of(server);
  fetch(origin);
  server.close_all(Then::Vanish);
  pass(kSecond);
  clock_.set_step(kMillisecond);
  const Fetched got = fetch(origin);
  // Where connections cannot vanish, the pool has heard of the reset before it could be used.
  EXPECT_EQ(got.error.has_value(), server.can_vanish);
  EXPECT_EQ(server.accepted, server.can_vanish ? 1 : 2);
}

TEST_F(StaleConnection, U13_AResetOnAFreshConnectionIsNeverRepaired) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{"", Then::Reset}; });
  const Fetched got = fetch(origin_of(server));
  EXPECT_EQ(got.error, Outcome::UpstreamReset);
  EXPECT_TRUE(got.trace.request_sent);
  EXPECT_EQ(server.accepted, 1);
}

TEST_F(StaleConnection, KA_5_TenThousandRequestsOverIdleGapsNeverFail) {
  ScriptedServer server(loop_, ok);
  const auto origin = origin_of(server);
  uint32_t dice = 12345;
  size_t expected = 0;
  for (int i = 0; i < 10'000; ++i) {
    dice = dice * 1664525 + 1013904223;
    const Fetched got = fetch(origin);
    ASSERT_EQ(got.status, 200) << "request " << i << ": " << got.message;
    ASSERT_EQ(server.requests.size(), ++expected) << "request " << i << " was seen twice";
    // The clock alone (the connection may expire), then an end of one of three kinds, seen or not
    // seen before the next request.
    if (dice >> 28 == 0) clock_.advance(kSecond * (dice >> 20 & 31));
    const uint32_t fate = dice >> 16 & 15;
    if (fate < 2) server.close_all(fate == 0 ? Then::Close : Then::Reset);
    if (fate == 2) {
      server.close_all(Then::Vanish);
      pass(kSecond);
    }
    if ((dice >> 24 & 1) == 0) loop_.turn(0);
  }
  EXPECT_GT(server.accepted, 1000);
  EXPECT_LT(server.accepted, 5000) << "connections are kept where nothing ends them";
}

TEST_F(StaleConnection, KA_5_TheSameBehindTls) {
  test::TestAuthority authority;
  const test::CertificateFiles files = authority.issue("server");
  const auto server_tls = TlsServerContext::make(
      {.cert_file = files.cert, .key_file = files.key, .client_ca_file = {}});
  ASSERT_TRUE(server_tls) << server_tls.error().message();
  const auto client_tls =
      TlsClientContext::make({.ca_file = authority.ca_file(), .cert_file = {}, .key_file = {}});
  ASSERT_TRUE(client_tls) << client_tls.error().message();
  for (const bool friendly : {true, false}) {
    for (const Then how : {Then::Close, Then::Reset, Then::Vanish}) {
      ScriptedServer server(loop_, ok, *server_tls);
      server.unfriendly_end = !friendly;
      auto origin = origin_of(server);
      origin->tls = *client_tls;
      EXPECT_EQ(fetch(origin).status, 200);
      server.close_all(how);
      if (how == Then::Vanish) pass(kSecond);
      const Fetched got = fetch(origin);
      EXPECT_EQ(got.status, 200) << got.message;
      EXPECT_EQ(server.requests.size(), 2u);
    }
  }
}

}  // namespace
}  // namespace sluice::net
