#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_test_server.h"
#include "tests/support/certs.h"
#include "tests/support/memory_stream.h"

namespace sluice::net {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Certificates = test::TestAuthority::Options;

Answer ok(const std::string&) {
  return Answer{ok_reply("hello")};
}

class Tls : public ClientTest {
 protected:
  std::shared_ptr<const TlsServerContext> server_context(const test::CertificateFiles& files,
                                                         const std::string& client_ca = "") {
    auto made = TlsServerContext::make(
        {.cert_file = files.cert, .key_file = files.key, .client_ca_file = client_ca});
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }
  std::shared_ptr<const TlsClientContext> client_context(const std::string& ca_file,
                                                         const test::CertificateFiles& files = {}) {
    auto made = TlsClientContext::make(
        {.ca_file = ca_file, .cert_file = files.cert, .key_file = files.key});
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }
  // One call to a server with `files`, as `name`.
  Fetched fetch_from(const test::CertificateFiles& files, const std::string& name,
                     const std::string& ca_file) {
    ScriptedServer server(loop_, ok, server_context(files));
    auto origin = origin_of(server);
    origin->tls = client_context(ca_file);
    origin->server_name = name;
    Fetched got = fetch(origin);
    settle();
    requests_ = server.requests;
    return got;
  }

  test::TestAuthority authority_;
  std::vector<std::string> requests_;
};

TEST_F(Tls, NET_4_TrustsAPrivateAuthority) {
  for (const char* name : {"localhost", "127.0.0.1", "::1"}) {
    const Fetched got = fetch_from(authority_.issue("server"), name, authority_.ca_file());
    EXPECT_EQ(got.body, "hello") << name << ": " << got.message;
  }
}

// U6: refused before a byte of the request is sent, and with words that help.
TEST_F(Tls, U6_RefusesAnExpiredCertificate) {
  const Fetched got =
      fetch_from(authority_.issue("server", {.names = "DNS:localhost", .expired = true}),
                 "localhost", authority_.ca_file());
  EXPECT_EQ(got.error, Outcome::TlsError);
  EXPECT_THAT(got.message, HasSubstr("certificate has expired"));
  EXPECT_FALSE(got.trace.request_sent);
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Tls, U6_RefusesAnotherName) {
  for (const char* name : {"other.example", "127.0.0.2"}) {
    const Fetched got = fetch_from(authority_.issue("server"), name, authority_.ca_file());
    EXPECT_EQ(got.error, Outcome::TlsError);
    EXPECT_THAT(got.message, HasSubstr(std::string("the certificate is not for '") + name + "'"));
    EXPECT_THAT(requests_, IsEmpty());
  }
}

TEST_F(Tls, U6_RefusesAnUnknownAuthority) {
  test::TestAuthority other;
  const Fetched got = fetch_from(authority_.issue("server"), "localhost", other.ca_file());
  EXPECT_EQ(got.error, Outcome::TlsError);
  EXPECT_THAT(got.message, HasSubstr("set tls.ca_file"));
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Tls, U6_RefusesASelfSignedCertificate) {
  const Fetched got = fetch_from(authority_.issue("server", {.self_signed = true}), "localhost",
                                 authority_.ca_file());
  EXPECT_EQ(got.error, Outcome::TlsError);
  EXPECT_THAT(got.message, HasSubstr("self-signed"));
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(Tls, U6_TheSystemsAuthoritiesDoNotKnowThePrivateOne) {
  const Fetched got = fetch_from(authority_.issue("server"), "localhost", "");
  EXPECT_EQ(got.error, Outcome::TlsError);
}

TEST_F(Tls, NET_4_ShowsAClientCertificateWhereOneIsAskedFor) {
  ScriptedServer server(loop_, ok,
                        server_context(authority_.issue("server"), authority_.ca_file()));
  auto origin = origin_of(server);
  origin->tls = client_context(authority_.ca_file(), authority_.issue("client"));
  EXPECT_EQ(fetch(origin).body, "hello");
}

TEST_F(Tls, NET_4_SaysThatAClientCertificateIsMissingOrWrong) {
  test::TestAuthority other;
  for (const test::CertificateFiles& shown : {test::CertificateFiles(), other.issue("client")}) {
    ScriptedServer server(loop_, ok,
                          server_context(authority_.issue("server"), authority_.ca_file()));
    auto origin = origin_of(server);
    origin->tls = client_context(authority_.ca_file(), shown);
    const Fetched got = fetch(origin);
    EXPECT_EQ(got.error, Outcome::TlsError) << got.message;
    EXPECT_THAT(got.message, AnyOf(HasSubstr("certificate required"), HasSubstr("unknown ca")));
    EXPECT_THAT(server.requests, IsEmpty());
    EXPECT_EQ(server.tls_errors.size(), 1u);
  }
}

TEST_F(Tls, ResumesSessionsWithTheSameName) {
  ScriptedServer server(loop_, ok, server_context(authority_.issue("server")));
  const auto context = client_context(authority_.ca_file());
  for (int i = 0; i < 3; ++i) {
    auto origin = origin_of(server);
    origin->tls = context;
    EXPECT_EQ(fetch(origin).body, "hello");
  }
  EXPECT_EQ(server.accepted, 3);
  EXPECT_EQ(server.resumed, 2);
}

TEST_F(Tls, ResumesSessionsWithAClientCertificateToo) {
  ScriptedServer server(loop_, ok,
                        server_context(authority_.issue("server"), authority_.ca_file()));
  const auto context = client_context(authority_.ca_file(), authority_.issue("client"));
  for (int i = 0; i < 2; ++i) {
    auto origin = origin_of(server);
    origin->tls = context;
    EXPECT_EQ(fetch(origin).body, "hello");
  }
  EXPECT_EQ(server.resumed, 1);
}

// U8: anybody can end a TCP connection; only the peer can say that this is all.
TEST_F(Tls, U8_ABodyUntilTheEndNeedsTheProtocolsOwnEnd) {
  for (const bool friendly : {true, false}) {
    ScriptedServer server(
        loop_,
        [](const std::string&) {
          return Answer{"HTTP/1.1 200 OK\r\n\r\nhalf", Then::Close};
        },
        server_context(authority_.issue("server")));
    server.unfriendly_end = !friendly;
    for (const Way way : {Way::ReadAll, Way::Next}) {
      auto origin = origin_of(server);
      origin->tls = client_context(authority_.ca_file());
      const Fetched got = fetch(origin, "{}", Until::forever(), way);
      EXPECT_EQ(got.error.has_value(), !friendly);
      if (!friendly) EXPECT_EQ(got.error, Outcome::UpstreamReset);
    }
  }
}

TEST_F(Tls, U8_ALengthProvesABodyWhole) {
  ScriptedServer server(
      loop_,
      [](const std::string&) {
        return Answer{ok_reply("whole"), Then::Close};
      },
      server_context(authority_.issue("server")));
  server.unfriendly_end = true;
  auto origin = origin_of(server);
  origin->tls = client_context(authority_.ca_file());
  EXPECT_EQ(fetch(origin).body, "whole");
}

TEST_F(Tls, CarriesLargeBodiesBothWays) {
  const std::string large(3 << 20, 'x');
  ScriptedServer server(
      loop_, [&](const std::string&) { return Answer{ok_reply(large)}; },
      server_context(authority_.issue("server")));
  limit_ = large.size();
  for (const Way way : {Way::ReadAll, Way::Next}) {
    auto origin = origin_of(server);
    origin->tls = client_context(authority_.ca_file());
    const Fetched got = fetch(origin, large, Until::forever(), way);
    EXPECT_EQ(got.body.size(), large.size()) << got.message;
  }
}

TEST_F(Tls, U39_DropsExtraBytesBehindAnyRead) {
  const std::string poison = "HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n";
  for (const size_t size : {size_t{1}, size_t{16'000}, size_t{65'536}, size_t{200'000}}) {
    const std::string body(size, 'x');
    ScriptedServer server(
        loop_, [&](const std::string&) { return Answer{ok_reply(body) + poison}; },
        server_context(authority_.issue("server")));
    auto origin = origin_of(server);
    origin->tls = client_context(authority_.ca_file());
    for (const Way way : {Way::ReadAll, Way::Next}) {
      for (int i = 0; i < 3; ++i) {
        const Fetched got = fetch(origin, "{}", Until::forever(), way);
        EXPECT_EQ(got.status, 200);
        EXPECT_EQ(got.body.size(), size);
        settle();
      }
    }
  }
}

TEST_F(Tls, U7_AHandshakeThatStallsOrBreaksIsNamed) {
  ScriptedServer plain(loop_, [](const std::string&) { return Answer{"", Then::Stall}; });
  auto origin = origin_of(plain);
  origin->tls = client_context(authority_.ca_file());
  const Fetched stalled = fetch(origin, "{}", Until::forever(), Way::ReadAll, kSecond);
  EXPECT_EQ(stalled.error, Outcome::ConnectTimeout);
  EXPECT_THAT(stalled.message, HasSubstr("TLS handshake"));
}

TEST_F(Tls, SaysThatAPeerSpeaksNoTls) {
  const auto peer = std::make_shared<test::MemoryPeer>(loop_);
  std::optional<Error> error;
  const auto run = [](const TlsClientContext& context, std::unique_ptr<Stream> stream,
                      std::optional<Error>& into) -> Task<void> {
    auto made = co_await context.connect(std::move(stream), "localhost", Until::forever());
    if (!made) into.emplace(std::move(made).error());
  };
  const auto context = client_context(authority_.ca_file());
  loop_.tasks().spawn(run(*context, peer->stream(), error));
  peer->send("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->outcome(), Outcome::TlsError);
  EXPECT_THAT(error->message(), HasSubstr("wrong version number"));
}

TEST_F(Tls, SaysWhichFileIsUnusable) {
  const auto no_ca =
      TlsClientContext::make({.ca_file = "/none/ca.pem", .cert_file = {}, .key_file = {}});
  ASSERT_FALSE(no_ca);
  EXPECT_THAT(no_ca.error().message(), HasSubstr("/none/ca.pem"));
  const test::CertificateFiles one = authority_.issue("one");
  const test::CertificateFiles two = authority_.issue("two");
  const auto mixed =
      TlsServerContext::make({.cert_file = one.cert, .key_file = two.key, .client_ca_file = {}});
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message(), HasSubstr("two.key"));
}

// Both sides over memory: every handshake flight and every record cut at every byte.
class TlsPipe : public Tls {
 protected:
  static Task<void> accept_into(const TlsServerContext& context, std::unique_ptr<Stream> stream,
                                std::unique_ptr<Stream>& into) {
    auto made = co_await context.accept(std::move(stream), Until::forever());
    EXPECT_TRUE(made) << made.error().message();
    if (made) into = *std::move(made);
  }
  static Task<void> connect_into(const TlsClientContext& context, std::unique_ptr<Stream> stream,
                                 std::unique_ptr<Stream>& into) {
    auto made = co_await context.connect(std::move(stream), "localhost", Until::forever());
    EXPECT_TRUE(made) << made.error().message();
    if (made) into = *std::move(made);
  }
  static Task<void> send(Stream& stream, std::string bytes, bool& done) {
    const std::string_view all = bytes;
    const std::array<iovec, 2> parts = {
        iovec{.iov_base = bytes.data(), .iov_len = all.size() / 3},
        iovec{.iov_base = bytes.data() + all.size() / 3, .iov_len = all.size() - all.size() / 3}};
    const IoResult result = co_await stream.write_all(parts, Until::forever());
    EXPECT_EQ(result.bytes, bytes.size());
    done = true;
  }
  static Task<void> receive(Stream& stream, std::string& into) {
    std::vector<char> chunk(20'000);
    for (;;) {
      const IoResult got = co_await stream.read_some(chunk, Until::forever());
      if (!got.ok()) break;
      into.append(chunk.data(), got.bytes);
    }
  }
};

TEST_F(TlsPipe, SurvivesEverySplitOfHandshakeAndRecords) {
  const auto server_tls = server_context(authority_.issue("server"));
  const auto client_tls = client_context(authority_.ca_file());
  for (const size_t step : {size_t{1}, size_t{2}, size_t{5}, size_t{7}, size_t{1000}}) {
    const auto at_client = std::make_shared<test::MemoryPeer>(loop_);
    const auto at_server = std::make_shared<test::MemoryPeer>(loop_);
    at_client->chop_writes(step);
    at_server->chop_writes(step);
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
    TaskGroup tasks;
    tasks.spawn(accept_into(*server_tls, at_server->stream(), server));
    tasks.spawn(connect_into(*client_tls, at_client->stream(), client));
    // Carries what one side has written to the other, `step` bytes at a time.
    const auto pump = [&] {
      for (bool moved = true; moved;) {
        const std::string up = at_client->take_received();
        const std::string down = at_server->take_received();
        moved = !up.empty() || !down.empty();
        for (size_t at = 0; at < up.size(); at += step) at_server->send(up.substr(at, step));
        for (size_t at = 0; at < down.size(); at += step) at_client->send(down.substr(at, step));
      }
    };
    pump();
    ASSERT_TRUE(client != nullptr && server != nullptr) << "step " << step;
    const std::string text = std::string(40'000, 'a') + "end";
    std::string received;
    bool sent = false;
    tasks.spawn(receive(*server, received));
    tasks.spawn(send(*client, text, sent));
    pump();
    EXPECT_TRUE(sent);
    EXPECT_EQ(received.size(), text.size());
    EXPECT_TRUE(received == text);
  }
}

TEST_F(TlsPipe, AWriteIsNotOverBeforeTheTransportHasItAll) {
  const auto server_tls = server_context(authority_.issue("server"));
  const auto client_tls = client_context(authority_.ca_file());
  const auto at_client = std::make_shared<test::MemoryPeer>(loop_);
  const auto at_server = std::make_shared<test::MemoryPeer>(loop_);
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
  TaskGroup tasks;
  tasks.spawn(accept_into(*server_tls, at_server->stream(), server));
  tasks.spawn(connect_into(*client_tls, at_client->stream(), client));
  const auto pump = [&] {
    for (int i = 0; i < 10; ++i) {
      at_server->send(at_client->take_received());
      at_client->send(at_server->take_received());
    }
  };
  pump();
  ASSERT_TRUE(client != nullptr && server != nullptr);
  at_client->set_room(100);
  bool sent = false;
  std::string received;
  tasks.spawn(receive(*server, received));
  tasks.spawn(send(*client, std::string(1000, 'x'), sent));
  pump();
  EXPECT_FALSE(sent);
  at_client->set_room(5000);
  pump();
  EXPECT_TRUE(sent);
  EXPECT_EQ(received.size(), 1000u);
}

}  // namespace
}  // namespace sluice::net
