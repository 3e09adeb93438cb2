// For the lab's tests: a lab behind a server on streams in memory, with a clock that the test
// moves.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>

#include "net/server.h"
#include "providers/lab.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_stream.h"

namespace sluice::providers {

using LabTestHeaders = std::map<std::string, std::string, std::less<>>;

class LabServerTest : public testing::Test {
 protected:
  std::shared_ptr<test::MemoryPeer> send(std::string_view request) {
    auto peer = std::make_shared<test::MemoryPeer>(loop);
    server.serve(peer->stream(), "10.0.0.1:4000");
    peer->send(request);
    return peer;
  }
  static std::string text_of(std::string_view method, std::string_view path,
                             const LabTestHeaders& headers, std::string_view body) {
    std::string lines;
    for (const auto& [name, value] : headers) lines += fmt::format("{}: {}\r\n", name, value);
    if (method == "POST") lines += fmt::format("Content-Length: {}\r\n", body.size());
    return fmt::format("{} {} HTTP/1.1\r\nHost: lab\r\n{}\r\n{}", method, path, lines, body);
  }
  // The whole reply, head and body.
  std::string post(std::string_view path, std::string_view body, const LabTestHeaders& headers) {
    return send(text_of("POST", path, headers, body))->received();
  }
  std::string get(std::string_view path, const LabTestHeaders& headers = {}) {
    return send(text_of("GET", path, headers, ""))->received();
  }
  void pass(Nanos time) {
    clock.advance(time);
    loop.turn(0);
  }

  test::ManualClock clock;
  net::Loop loop{clock};
  LabState state;
  Lab lab{state};
  net::Server server{loop, lab, net::ServerOptions()};
};

// "HTTP/1.1 404 ..." -> 404
inline int lab_status(std::string_view reply) {
  return reply.size() < 12 ? 0 : std::stoi(std::string(reply.substr(9, 3)));
}

}  // namespace sluice::providers
