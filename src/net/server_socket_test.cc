// A Server on real sockets.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "net/server_test_handler.h"

namespace sluice::net {
namespace {

class ServerSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto address = server.listen(*Address::parse("127.0.0.1:0"));
    ASSERT_TRUE(address);
    port = address->port();
  }
  int connect() {
    const Address address = *Address::parse("127.0.0.1:" + std::to_string(port));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(fd, address.get(), address.length()), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
  }
  static void send_all(int fd, std::string_view bytes) {
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static void reset(int fd) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
  }
  template <class Ready>
  void turn_until(Ready ready) {
    for (int i = 0; i < 2000; ++i) {
      if (ready()) return;
      loop.turn(5 * kMillisecond);
    }
    FAIL() << "it never came";
  }
  // Reads until the text ends so, or the connection does ("<end>" and "<reset>" tell how).
  std::string read_until(int fd, std::string_view ending) {
    std::string text;
    turn_until([&] {
      char bytes[65536];
      const ssize_t got = read(fd, bytes, sizeof bytes);
      if (got > 0) text.append(bytes, static_cast<size_t>(got));
      if (got == 0) text += "<end>";
      if (got < 0 && errno == ECONNRESET) text += "<reset>";
      return got == 0 || (got < 0 && errno != EAGAIN) || text.ends_with(ending);
    });
    return text;
  }

  SystemClock clock;
  Loop loop{clock};
  TestHandler handler;
  Server server{loop, handler, ServerOptions()};
  uint16_t port = 0;
};

const std::string kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ServerSocketTest, AnswersOverOneConnection) {
  const int fd = connect();
  for (int i = 0; i < 3; ++i) {
    send_all(fd, kHello);
    EXPECT_TRUE(read_until(fd, "hello").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_TRUE(handler.peer.starts_with("127.0.0.1:"));
  close(fd);
  turn_until([&] { return server.connections() == 0; });
}

TEST_F(ServerSocketTest, ALargeRequestAndReplyPass) {
  const int fd = connect();
  const std::string body(1 << 20, 'x');
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body + kHello;
  size_t sent = 0;
  std::string text;
  turn_until([&] {
    const ssize_t put = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (put > 0) sent += static_cast<size_t>(put);
    char bytes[65536];
    const ssize_t got = read(fd, bytes, sizeof bytes);
    if (got > 0) text.append(bytes, static_cast<size_t>(got));
    return text.ends_with("hello");
  });
  EXPECT_NE(text.find("\r\n\r\n" + body + "HTTP/1.1 200 OK\r\n"), std::string::npos);
  close(fd);
}

TEST_F(ServerSocketTest, ARefusalArrivesThoughTheClientIsStillSending) {
  ServerOptions options;
  options.max_body = 1000;
  server.set_options(options);
  const int fd = connect();
  send_all(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
  const std::string piece(100'000, 'b');
  size_t sent = 0;
  turn_until([&] {
    const ssize_t put = ::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL);
    EXPECT_TRUE(put > 0 || errno == EAGAIN);
    if (put > 0) sent += static_cast<size_t>(put);
    return sent > 4'000'000;
  });
  EXPECT_TRUE(read_until(fd, "<end>").starts_with("HTTP/1.1 413 "));
  close(fd);
  turn_until([&] { return server.connections() == 0; });
}

TEST_F(ServerSocketTest, DISC_1_EndAndResetCancelTheExchange) {
  for (const bool with_reset : {false, true}) {
    const int fd = connect();
    const int ended = handler.ended;
    send_all(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until([&] { return server.exchanges() == 1; });
    if (with_reset) {
      reset(fd);
    } else {
      close(fd);
    }
    turn_until([&] { return handler.ended == ended + 1; });
    EXPECT_EQ(handler.why, Outcome::ClientClosed);
    EXPECT_EQ(server.connections(), 0u);
  }
}

TEST_F(ServerSocketTest, C4_AReaderThatStopsStallsTheHandlerAndAResetFreesAll) {
  const int fd = connect();
  send_all(fd, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  turn_until([&] { return handler.chunks > 0; });
  for (int i = 0; i < 50; ++i) loop.turn(kMillisecond);
  const uint64_t stalled_at = handler.chunks;
  for (int i = 0; i < 50; ++i) loop.turn(kMillisecond);
  EXPECT_EQ(handler.chunks, stalled_at);
  EXPECT_EQ(server.exchanges(), 1u);
  reset(fd);
  turn_until([&] { return server.connections() == 0; });
  EXPECT_EQ(handler.failures, std::vector{Outcome::ClientClosed});
}

TEST_F(ServerSocketTest, AnAbortedStreamLooksCut) {
  const int modern = connect();
  send_all(modern, "GET /abort HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(read_until(modern, "<end>").ends_with("4\r\npart\r\n<end>"));
  close(modern);
  const int old = connect();
  send_all(old, "GET /abort HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(read_until(old, "<reset>").ends_with("<reset>"));
  close(old);
}

TEST_F(ServerSocketTest, KA_7_DrainResetsNobody) {
  const int idle = connect();
  const int asked = connect();
  const int halfway = connect();
  const int busy = connect();
  turn_until([&] { return server.connections() == 4; });
  send_all(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  turn_until([&] { return server.exchanges() == 1; });
  send_all(asked, kHello);
  const int queued = connect();
  send_all(queued, kHello);
  send_all(halfway, kHello.substr(0, 10));
  server.drain();
  send_all(halfway, kHello.substr(10));
  EXPECT_EQ(read_until(idle, "<end>"), "<end>");
  EXPECT_TRUE(read_until(asked, "<end>").ends_with("hello<end>"));
  EXPECT_TRUE(read_until(queued, "<end>").ends_with("hello<end>"));
  EXPECT_TRUE(read_until(halfway, "<end>").ends_with("hello<end>"));
  handler.bell.ring();
  EXPECT_TRUE(read_until(busy, "<end>").ends_with("Connection: close\r\n\r\nwaited<end>"));
  turn_until([&] { return server.idle(); });
  for (const int fd : {idle, asked, halfway, busy, queued}) close(fd);
}

TEST_F(ServerSocketTest, DISC_8_AThousandVanishingClientsLeaveNothing) {
  const std::string requests[] = {
      "", "GET /hel", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
      "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n"};
  for (size_t round = 0; round < 20; ++round) {
    std::vector<int> clients;
    for (size_t i = 0; i < 50; ++i) {
      clients.push_back(connect());
      send_all(clients.back(), requests[i % 5]);
    }
    turn_until([&] { return server.exchanges() >= 30; });
    for (size_t i = 0; i < clients.size(); ++i) {
      if ((i + round) % 2 == 0) {
        reset(clients[i]);
      } else {
        close(clients[i]);
      }
    }
    turn_until([&] { return server.connections() == 0; });
  }
  EXPECT_EQ(server.exchanges(), 0u);
  EXPECT_EQ(loop.timers().size(), 0u);
}

}  // namespace
}  // namespace sluice::net
