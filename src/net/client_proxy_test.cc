// Ways to an upstream: HTTP proxies, and several addresses for one name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_connect.h"
#include "net/client_test_server.h"
#include "tests/support/certs.h"

namespace sluice::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Proxy : public ClientTest {
 protected:
  // A proxy that lets CONNECT through to `port`, on the same loop.
  class Tunnel {
   public:
    Tunnel(Loop& loop, uint16_t port) : loop_(loop), port_(port) {
      const Address any = *Address::parse("127.0.0.1:0");
      auto opened = Listener::open(loop, any, [this](std::unique_ptr<Socket> socket) {
        tasks_.spawn(serve(std::move(socket)));
      });
      listener_ = *std::move(opened);
    }
    uint16_t port() const { return listener_->local_address().port(); }
    std::string request;

   private:
    Task<void> serve(std::unique_ptr<Socket> from) {
      std::vector<char> chunk(4096);
      while (request.find("\r\n\r\n") == std::string::npos) {
        const IoResult got = co_await from->read_some(chunk, Until::forever());
        if (!got.ok()) co_return;
        request.append(chunk.data(), got.bytes);
      }
      const Address target = *Address::parse("127.0.0.1:" + std::to_string(port_));
      auto to = co_await Socket::connect(loop_, target, Until::forever());
      if (!to) co_return;
      const std::string_view reply = "HTTP/1.1 200 Connection established\r\n\r\n";
      co_await from->write_all(reply, Until::forever());
      tasks_.spawn(copy(*from, **to));
      co_await copy(**to, *from);
      // The other direction may still use both.
      co_await Sleep(loop_, Until::forever());
    }
    static Task<void> copy(Stream& from, Stream& to) {
      std::vector<char> chunk(4096);
      for (;;) {
        const IoResult got = co_await from.read_some(chunk, Until::forever());
        if (!got.ok()) co_return;
        co_await to.write_all(std::string_view(chunk.data(), got.bytes), Until::forever());
      }
    }
    Loop& loop_;
    uint16_t port_;
    std::unique_ptr<Listener> listener_;
    TaskGroup tasks_;
  };
};

TEST_F(Proxy, NET_4_PlainRequestsCarryTheWholeUrl) {
  ScriptedServer proxy(loop_, [](const std::string&) { return Answer{ok_reply("by proxy")}; });
  auto origin = std::make_shared<Origin>();
  origin->host = "api.example";
  origin->port = 8000;
  origin->proxy_host = "127.0.0.1";
  origin->proxy_port = proxy.port();
  origin->proxy_authorization = "Basic c2VjcmV0";
  EXPECT_EQ(fetch(origin).body, "by proxy");
  const std::string& request = proxy.requests.front();
  EXPECT_THAT(request, StartsWith("POST http://api.example:8000/v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Host: api.example:8000\r\n"));
  EXPECT_THAT(request, HasSubstr("Proxy-Authorization: Basic c2VjcmV0\r\n"));
}

TEST_F(Proxy, NET_4_TlsGoesThroughATunnel) {
  test::TestAuthority authority;
  const test::CertificateFiles files = authority.issue("server", {.names = "DNS:api.example"});
  const auto server_tls = TlsServerContext::make(
      {.cert_file = files.cert, .key_file = files.key, .client_ca_file = {}});
  const auto client_tls =
      TlsClientContext::make({.ca_file = authority.ca_file(), .cert_file = {}, .key_file = {}});
  ASSERT_TRUE(server_tls && client_tls);
  ScriptedServer server(
      loop_, [](const std::string&) { return Answer{ok_reply("tunnelled")}; }, *server_tls);
  Tunnel proxy(loop_, server.port());
  auto origin = std::make_shared<Origin>();
  origin->host = "api.example";
  origin->port = 443;
  origin->tls = *client_tls;
  origin->proxy_host = "127.0.0.1";
  origin->proxy_port = proxy.port();
  origin->proxy_authorization = "Basic c2VjcmV0";
  const Fetched got = fetch(origin);
  EXPECT_EQ(got.body, "tunnelled") << got.message;
  EXPECT_EQ(proxy.request,
            "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\nProxy-Authorization: "
            "Basic c2VjcmV0\r\n\r\n");
  EXPECT_THAT(server.requests.front(), HasSubstr("Host: api.example\r\n"));
  EXPECT_THAT(server.requests.front(), Not(HasSubstr("Proxy-Authorization")));
}

TEST_F(Proxy, NET_4_ARefusalIsAConnectErrorWithoutTheSecret) {
  test::TestAuthority authority;
  const auto client_tls =
      TlsClientContext::make({.ca_file = authority.ca_file(), .cert_file = {}, .key_file = {}});
  ASSERT_TRUE(client_tls);
  struct Case {
    Answer answer;
    const char* words;
  };
  const Case cases[] = {
      {{"HTTP/1.1 407 Proxy Authentication Required\r\nX-Echo: c2VjcmV0\r\n\r\n"}, "407"},
      {{"HTTP/1.1 502 Bad Gateway c2VjcmV0\r\n\r\n"}, "502"},
      {{"c2VjcmV0 what?\r\n\r\n"}, "no HTTP reply"},
      {{"", Then::Close}, "closed the connection"},
  };
  for (const Case& c : cases) {
    ScriptedServer proxy(loop_, [&](const std::string&) { return c.answer; });
    auto origin = std::make_shared<Origin>();
    origin->host = "api.example";
    origin->port = 443;
    origin->tls = *client_tls;
    origin->proxy_host = "127.0.0.1";
    origin->proxy_port = proxy.port();
    origin->proxy_authorization = "Basic c2VjcmV0";
    const Fetched got = fetch(origin);
    EXPECT_EQ(got.error, Outcome::ConnectError);
    EXPECT_THAT(got.message, HasSubstr(c.words));
    EXPECT_THAT(got.message, Not(HasSubstr("c2VjcmV0")));
    EXPECT_FALSE(got.trace.request_sent);
  }
}

// A listener whose queue is full answers nothing: what a black hole looks like from here.
class BlackHole {
 public:
  explicit BlackHole(Loop& loop) : loop_(loop) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const Address any = *Address::parse("127.0.0.1:0");
    EXPECT_EQ(bind(fd_, any.get(), any.length()), 0);
    EXPECT_EQ(listen(fd_, 0), 0);
    for (int i = 0; i < 3; ++i) fill_.spawn(connect(loop_, address()));
    for (int i = 0; i < 5; ++i) loop_.turn(0);
  }
  ~BlackHole() { close(fd_); }
  Address address() const {
    sockaddr_storage storage;
    socklen_t length = sizeof storage;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &length);
    return Address(reinterpret_cast<const sockaddr*>(&storage), length);
  }

 private:
  static Task<void> connect(Loop& loop, Address address) {
    auto socket = co_await Socket::connect(loop, address, Until::forever());
    co_await Sleep(loop, Until::forever());
  }
  Loop& loop_;
  int fd_;
  TaskGroup fill_;
};

class Addresses : public ClientTest {
 protected:
  struct Connected {
    std::optional<std::string> peer;
    std::optional<Error> error;
    Nanos took = 0;
  };
  static Task<void> connect(Loop& loop, std::vector<Address> addresses, Until until,
                            std::optional<Connected>& into) {
    const Nanos start = loop.now();
    auto socket = co_await connect_to_any(loop, std::move(addresses), until);
    Connected result;
    if (socket) result.peer = (*socket)->peer()->text();
    if (!socket) result.error.emplace(std::move(socket).error());
    result.took = loop.now() - start;
    into.emplace(std::move(result));
  }
  Connected connect_to(std::vector<Address> addresses, Nanos limit = 5 * kSecond) {
    std::optional<Connected> result;
    const Until until(loop_.after(limit));
    loop_.tasks().spawn(connect(loop_, std::move(addresses), until, result));
    for (int turn = 0; !result && turn < 1000; ++turn) {
      loop_.turn(kMillisecond);
      if (turn > 5) clock_.advance(50 * kMillisecond);
    }
    EXPECT_TRUE(result);
    return *std::move(result);
  }
  Address closed_port() {
    ScriptedServer gone(loop_, [](const std::string&) { return Answer{}; });
    return *Address::parse("127.0.0.1:" + std::to_string(gone.port()));
  }
};

TEST_F(Addresses, U2_ABlackHoleDoesNotEatTheTimeOfTheNextAddress) {
  BlackHole hole(loop_);
  ScriptedServer server(loop_, [](const std::string&) { return Answer{}; });
  const Address good = *Address::parse("127.0.0.1:" + std::to_string(server.port()));
  const Connected got = connect_to({hole.address(), good});
  EXPECT_EQ(got.peer, good.text());
  EXPECT_LT(got.took, kSecond);
}

TEST_F(Addresses, U2_OnlyBlackHolesIsAConnectTimeout) {
  BlackHole hole(loop_);
  for (const std::vector<Address>& all : {std::vector<Address>{hole.address()},
                                          std::vector<Address>{hole.address(), hole.address()}}) {
    const Connected got = connect_to(all);
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->outcome(), Outcome::ConnectTimeout);
    EXPECT_GE(got.took, 5 * kSecond);
    EXPECT_LT(got.took, 6 * kSecond);
  }
}

TEST_F(Addresses, U1_TriesEachInTurn) {
  ScriptedServer server(loop_, [](const std::string&) { return Answer{}; });
  const Address good = *Address::parse("127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(connect_to({closed_port(), closed_port(), good}).peer, good.text());
  const Connected none = connect_to({closed_port(), closed_port()});
  ASSERT_TRUE(none.error);
  EXPECT_EQ(none.error->outcome(), Outcome::ConnectError);
}

}  // namespace
}  // namespace sluice::net
