#include "net/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/manual_clock.h"

namespace sluice::net {
namespace {

Address any_port() {
  return *Address::parse("127.0.0.1:0");
}

// A listener and the sockets it accepted.
class SocketTest : public testing::Test {
 protected:
  void listen() {
    auto opened = Listener::open(loop, any_port(), [this](std::unique_ptr<Socket> socket) {
      accepted.push_back(std::move(socket));
    });
    ASSERT_TRUE(opened) << opened.error().message();
    listener = std::move(*opened);
  }
  template <class Ready>
  void turn_until(Ready ready) {
    for (int i = 0; i < 1000; ++i) {
      if (ready()) return;
      loop.turn(10 * kMillisecond);
    }
    FAIL() << "it never came";
  }
  // A blocking client socket, connected to the listener.
  int raw_client() {
    const Address address = listener->local_address();
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(fd, address.get(), address.length()), 0);
    return fd;
  }
  std::unique_ptr<Socket> accepted_from(int fd) {
    turn_until([&] { return !accepted.empty(); });
    EXPECT_GE(fd, 0);
    std::unique_ptr<Socket> socket = std::move(accepted.back());
    accepted.pop_back();
    return socket;
  }

  SystemClock clock;
  Loop loop{clock};
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Socket>> accepted;
};

Task<void> connect_into(Loop& loop, Address address, Until until,
                        std::optional<Result<std::unique_ptr<Socket>>>* out) {
  *out = co_await Socket::connect(loop, address, until);
}
Task<void> read_into(Stream& stream, std::span<char> into, IoResult* out, bool* done) {
  *out = co_await stream.read_some(into, Until::forever());
  *done = true;
}
Task<void> write_into(Stream& stream, std::string_view bytes, IoResult* out, bool* done) {
  *out = co_await stream.write_all(bytes, Until::forever());
  *done = true;
}

TEST(Address, IsParsedAndWritten) {
  for (const char* text : {"127.0.0.1:8080", "[::1]:443", "0.0.0.0:0", "[2001:db8::1]:65535"}) {
    const Result<Address> address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(Address::parse(":80")->text(), "0.0.0.0:80");
  EXPECT_EQ(Address::parse("localhost:80")->text(), "127.0.0.1:80");
  EXPECT_EQ(Address::parse("[::1]:80")->ip_text(), "::1");
  EXPECT_EQ(Address::parse("10.0.0.1:80")->port(), 80);
  EXPECT_TRUE(Address::parse("127.8.0.1:80")->is_loopback());
  EXPECT_TRUE(Address::parse("[::1]:80")->is_loopback());
  EXPECT_FALSE(Address::parse("128.0.0.1:80")->is_loopback());
}

TEST(Address, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "::1:80",
        "[::1:80", "[127.0.0.1]:80", "example:80", "127.1:80", "[]:80"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST_F(SocketTest, ConnectsAndCarriesBytesBothWays) {
  listen();
  std::optional<Result<std::unique_ptr<Socket>>> result;
  loop.tasks().spawn(connect_into(loop, listener->local_address(), Until::forever(), &result));
  turn_until([&] { return result.has_value() && !accepted.empty(); });
  ASSERT_TRUE(*result);
  Socket& client = ***result;
  Socket& server = *accepted[0];
  EXPECT_EQ(client.peer()->port(), listener->local_address().port());

  char bytes[16];
  IoResult got;
  bool done = false;
  loop.tasks().spawn(read_into(server, bytes, &got, &done));
  IoResult put;
  bool sent = false;
  loop.tasks().spawn(write_into(client, "ping", &put, &sent));
  turn_until([&] { return done; });
  EXPECT_TRUE(sent);
  EXPECT_EQ(std::string_view(bytes, got.bytes), "ping");
  turn_until([&] { return client.unacknowledged_bytes() == 0; });

  client.finish();
  done = false;
  loop.tasks().spawn(read_into(server, bytes, &got, &done));
  turn_until([&] { return done; });
  EXPECT_EQ(got.status, IoStatus::Eof);
  EXPECT_TRUE(server.readiness().hung_up());
}

TEST_F(SocketTest, BytesAndEndThatComeTogetherAreBothRead) {
  listen();
  const int fd = raw_client();
  const auto server = accepted_from(fd);
  ASSERT_EQ(write(fd, "abcdef", 6), 6);
  close(fd);
  char bytes[4];
  std::string all;
  IoResult got;
  do {
    bool done = false;
    loop.tasks().spawn(read_into(*server, bytes, &got, &done));
    turn_until([&] { return done; });
    all.append(bytes, got.bytes);
  } while (got.ok());
  EXPECT_EQ(all, "abcdef");
  EXPECT_EQ(got.status, IoStatus::Eof);
}

TEST_F(SocketTest, AnEndThatFollowsAShortReadIsSeen) {
  listen();
  const int fd = raw_client();
  const auto server = accepted_from(fd);
  char bytes[64];
  IoResult got;
  bool done = false;
  ASSERT_EQ(write(fd, "abc", 3), 3);
  loop.tasks().spawn(read_into(*server, bytes, &got, &done));
  turn_until([&] { return done; });
  EXPECT_EQ(got.bytes, 3u);
  done = false;
  loop.tasks().spawn(read_into(*server, bytes, &got, &done));
  EXPECT_FALSE(done);
  close(fd);
  turn_until([&] { return done; });
  EXPECT_EQ(got.status, IoStatus::Eof);
}

TEST_F(SocketTest, AWriteWaitsForASlowReader) {
  listen();
  const int fd = raw_client();
  const auto server = accepted_from(fd);
  const std::string large(32 << 20, 'x');
  IoResult put;
  bool done = false;
  loop.tasks().spawn(write_into(*server, large, &put, &done));
  EXPECT_FALSE(done);
  size_t total = 0;
  std::string buffer(1 << 20, '\0');
  fcntl(fd, F_SETFL, O_NONBLOCK);
  turn_until([&] {
    for (ssize_t n; (n = read(fd, buffer.data(), buffer.size())) > 0;) {
      total += static_cast<size_t>(n);
    }
    return done && total == large.size();
  });
  EXPECT_EQ(put.bytes, large.size());
  close(fd);
}

TEST_F(SocketTest, AResetFailsReadsAndWrites) {
  listen();
  const int fd = raw_client();
  const auto server = accepted_from(fd);
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
  char bytes[4];
  IoResult got;
  bool done = false;
  loop.tasks().spawn(read_into(*server, bytes, &got, &done));
  turn_until([&] { return done; });
  EXPECT_EQ(got.status, IoStatus::Failed);
  EXPECT_EQ(got.error, ECONNRESET);
  done = false;
  loop.tasks().spawn(write_into(*server, "x", &got, &done));
  EXPECT_EQ(got.status, IoStatus::Failed);
}

TEST_F(SocketTest, AHangUpCancels) {
  listen();
  const int fd = raw_client();
  const auto server = accepted_from(fd);
  Cancel cancel;
  server->cancel_on_hang_up(&cancel);
  ASSERT_EQ(write(fd, "abc", 3), 3);
  loop.turn(10 * kMillisecond);
  EXPECT_FALSE(cancel.cancelled());
  close(fd);
  turn_until([&] { return cancel.cancelled(); });
}

TEST_F(SocketTest, AbortOnCloseResetsThePeer) {
  listen();
  const int fd = raw_client();
  auto server = accepted_from(fd);
  server->abort_on_close();
  server.reset();
  char byte;
  EXPECT_EQ(read(fd, &byte, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
  close(fd);
}

TEST_F(SocketTest, ARefusedConnectionIsAConnectError) {
  listen();
  const Address nobody = listener->local_address();
  listener.reset();
  std::optional<Result<std::unique_ptr<Socket>>> result;
  loop.tasks().spawn(connect_into(loop, nobody, Until::forever(), &result));
  turn_until([&] { return result.has_value(); });
  ASSERT_FALSE(*result);
  EXPECT_EQ(result->error().outcome(), Outcome::ConnectError);
  EXPECT_NE(result->error().message().find(nobody.text()), std::string::npos);
}

TEST_F(SocketTest, ACancelledConnectGivesTheReason) {
  listen();
  Cancel cancel;
  std::optional<Result<std::unique_ptr<Socket>>> result;
  // A blackhole would be better than a listener, but needs a network; the connect is pending here
  // too, until the loop turns.
  loop.tasks().spawn(
      connect_into(loop, listener->local_address(), Until(Deadline::never(), &cancel), &result));
  if (!result.has_value()) {
    cancel.cancel(Outcome::ClientClosed);
    ASSERT_TRUE(result.has_value());
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().outcome(), Outcome::ClientClosed);
  }
}

TEST_F(SocketTest, PortZeroGivesEachListenerAPortOfItsOwn) {
  listen();
  const uint16_t first = listener->local_address().port();
  EXPECT_NE(first, 0);
  auto other = Listener::open(loop, any_port(), [](std::unique_ptr<Socket>) {});
  ASSERT_TRUE(other);
  EXPECT_NE((*other)->local_address().port(), first);
  // The same port again is allowed: that is how the loops share it.
  auto same = Listener::open(loop, listener->local_address(), [](std::unique_ptr<Socket>) {});
  EXPECT_TRUE(same);
}

TEST_F(SocketTest, AnAddressThatIsNotOursIsToldByName) {
  const auto opened =
      Listener::open(loop, *Address::parse("192.0.2.1:80"), [](std::unique_ptr<Socket>) {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("192.0.2.1:80"), std::string::npos);
}

TEST_F(SocketTest, AcceptQueuedTakesWhoWaits) {
  listen();
  const int fd = raw_client();
  listener->accept_queued();
  EXPECT_EQ(accepted.size(), 1u);
  listener.reset();
  close(fd);
}

// The undefined-behaviour sanitizer needs descriptors of its own to look at objects.
#if !defined(__has_feature) || !__has_feature(undefined_behavior_sanitizer)
TEST_F(SocketTest, AListenerOutOfDescriptorsTriesAgain) {
  listen();
  const int fd = raw_client();
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = dup(fd);
  close(next);
  const rlimit none{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  loop.turn(10 * kMillisecond);
  EXPECT_TRUE(accepted.empty());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  turn_until([&] { return !accepted.empty(); });
  close(fd);
}
#endif

}  // namespace
}  // namespace sluice::net
