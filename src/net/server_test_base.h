// A server on streams in memory, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "net/server_test_handler.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_stream.h"

namespace sluice::net {

class ServerTest : public testing::Test {
 protected:
  std::shared_ptr<test::MemoryPeer> connect() {
    auto peer = std::make_shared<test::MemoryPeer>(loop);
    server.serve(peer->stream(), "10.0.0.1:4000");
    return peer;
  }
  void pass(Nanos time) {
    clock.advance(time);
    loop.turn(0);
  }
  // Lets the handler go on that waits for the bell.
  void ring() {
    handler.bell.ring();
    do {
      loop.turn(0);
    } while (loop.has_deferred());
  }
  // What the server says to `bytes` on a connection of its own.
  std::string answer(std::string_view bytes) {
    const auto peer = connect();
    peer->send(bytes);
    return peer->received();
  }
  static bool starts(std::string_view text, std::string_view with) {
    return text.substr(0, with.size()) == with;
  }
  static bool contains(std::string_view text, std::string_view what) {
    return text.find(what) != std::string_view::npos;
  }
  static size_t count(std::string_view text, std::string_view what) {
    size_t found = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++found;
    return found;
  }

  test::ManualClock clock;
  Loop loop{clock};
  TestHandler handler;
  Server server{loop, handler, ServerOptions()};
};

inline const std::string kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
inline const std::string kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
inline const std::string kHelloReply =
    "HTTP/1.1 200 OK\r\n" + kDate + "Content-Length: 5\r\n\r\nhello";

}  // namespace sluice::net
