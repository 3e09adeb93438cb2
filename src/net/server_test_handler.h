// The handler of the server's tests: the path says what it does.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/server.h"

namespace sluice::net {

class TestHandler final : public Handler {
 public:
  Task<void> handle(ServerExchange& exchange) override {
    ++begun;
    exchange.tap(tap);
    peer = exchange.peer();
    const std::string path(exchange.head().path());
    if (path == "/echo") return echo(exchange);
    if (path == "/hello") return hello(exchange);
    if (path == "/stream") return stream(exchange);
    if (path == "/wait") return wait(exchange);
    if (path == "/abort") return abort(exchange);
    if (path == "/raw") return raw(exchange);
    if (path == "/raw-abort") return raw(exchange);
    if (path == "/push") return push(exchange);
    if (path == "/flood") return flood(exchange);
    if (path == "/big") return big(exchange);
    if (path == "/scratch") return scratch(exchange);
    if (path == "/throw") return throw_up(exchange);
    if (path == "/half-throw") return half_throw(exchange);
    if (path == "/release") return release(exchange);
    return nothing(exchange);
  }
  std::string refuse(Outcome outcome, std::string_view reason) override {
    refused.push_back(outcome);
    return "{\"error\":\"" + std::string(reason) + "\"}";
  }

  int begun = 0;
  int ended = 0;
  std::string peer;
  std::vector<Outcome> refused;
  std::vector<Outcome> failures;  // of bodies and writes
  Wake wake = Wake::Ready;
  Outcome why = Outcome::Ok;
  uint64_t chunks = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  bool arrived = false;
  Bell bell;
  ReplyTap* tap = nullptr;              // of every exchange
  ServerExchange* streaming = nullptr;  // while /push waits
  std::vector<bool> pushed;

 private:
  void end(ServerExchange& exchange) {
    ++ended;
    bytes_in = exchange.bytes_in();
    bytes_out = exchange.bytes_out();
  }
  void note(const Result<void>& result) {
    if (!result) failures.push_back(result.error().outcome());
  }
  Task<void> echo(ServerExchange& exchange) {
    arrived = exchange.body_arrived();
    Result<std::string_view> body = co_await exchange.body();
    if (!body) {
      failures.push_back(body.error().outcome());
      const int status = http_status_of(body.error().outcome());
      note(co_await exchange.reply(status, "", body.error().message()));
    } else {
      if (arrived) arrived = exchange.arrived_body().data() == body->data();
      note(co_await exchange.reply(200, "X-Test: 1\r\n", *body));
    }
    end(exchange);
  }
  Task<void> hello(ServerExchange& exchange) {
    note(co_await exchange.reply(200, "", "hello"));
    end(exchange);
  }
  Task<void> stream(ServerExchange& exchange) {
    exchange.start_stream(200, "Content-Type: text/event-stream\r\n");
    note(co_await exchange.send_chunk("one"));
    note(co_await exchange.send_chunk(""));
    note(co_await exchange.send_chunk("twenty characters ok"));
    note(co_await exchange.end_stream());
    end(exchange);
  }
  Task<void> wait(ServerExchange& exchange) {
    const Until until(Deadline::never(), &exchange.cancel());
    wake = co_await bell.listen(exchange.loop(), until);
    if (wake == Wake::Cancelled) {
      why = exchange.cancel().why();
    } else {
      note(co_await exchange.reply(200, "", "waited"));
    }
    end(exchange);
  }
  Task<void> abort(ServerExchange& exchange) {
    exchange.start_stream(200, "");
    note(co_await exchange.send_chunk("part"));
    exchange.abort_stream();
    end(exchange);
  }
  Task<void> raw(ServerExchange& exchange) {
    const bool aborts = exchange.head().path() == "/raw-abort";
    const IoResult sent = co_await exchange.raw().write_all("no HTTP at all", Until::forever());
    if (sent.ok() && aborts) exchange.abort_stream();
    end(exchange);
  }
  // Pushes "first" at once and "second" from outside, while waiting; then flushes.
  Task<void> push(ServerExchange& exchange) {
    exchange.start_stream(200, "");
    pushed.push_back(exchange.push_chunk("first"));
    streaming = &exchange;
    const Until until(Deadline::never(), &exchange.cancel());
    wake = co_await bell.listen(exchange.loop(), until);
    streaming = nullptr;
    note(co_await exchange.flush());
    note(co_await exchange.end_stream());
    end(exchange);
  }
  // Until the client is gone.
  Task<void> flood(ServerExchange& exchange) {
    const std::string chunk(16 * 1024, 'f');
    exchange.start_stream(200, "");
    for (chunks = 0;; ++chunks) {
      Result<void> sent = co_await exchange.send_chunk(chunk);
      if (sent) continue;
      note(sent);
      break;
    }
    end(exchange);
  }
  Task<void> big(ServerExchange& exchange) {
    const std::string body(4 << 20, 'b');
    note(co_await exchange.reply(200, "", body));
    end(exchange);
  }
  // Sends from the loop's shared bytes, as a proxy does.
  Task<void> scratch(ServerExchange& exchange) {
    const std::span<char> shared = exchange.loop().scratch();
    std::fill_n(shared.data(), 1000, 's');
    const std::string_view view(shared.data(), 1000);
    exchange.start_stream(200, "");
    note(co_await exchange.send_chunk(view));
    note(co_await exchange.end_stream());
    end(exchange);
  }
  Task<void> throw_up(ServerExchange&) {
    throw std::runtime_error("a bug");
    co_return;
  }
  Task<void> half_throw(ServerExchange& exchange) {
    exchange.start_stream(200, "");
    note(co_await exchange.send_chunk("part"));
    throw std::runtime_error("a bug");
  }
  Task<void> release(ServerExchange& exchange) {
    exchange.release_request();
    exchange.start_stream(200, "");
    const Until until(Deadline::never(), &exchange.cancel());
    wake = co_await bell.listen(exchange.loop(), until);
    note(co_await exchange.send_chunk("late"));
    note(co_await exchange.end_stream());
    end(exchange);
  }
  Task<void> nothing(ServerExchange& exchange) {
    end(exchange);
    co_return;
  }
};

}  // namespace sluice::net
