// Upstreams for tests: a scripted server on a real socket of the same loop, and a fixture that
// drives loop, clock and client. Bytes are raw on purpose: half of what a test says is not HTTP.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "net/client.h"
#include "net/socket.h"
#include "net/tls.h"
#include "tests/support/manual_clock.h"

namespace sluice::net {

// What a server does after its bytes.
enum class Then : uint8_t { Keep, Close, Reset, Stall, Vanish };

struct Answer {
  std::string bytes;
  Then then = Then::Keep;
  bool by_the_byte = false;  // one send per byte, one turn of the loop between them
};

class ScriptedServer final : private EventTarget {
 public:
  // `request`: head and body. Called for each.
  using Script = std::function<Answer(const std::string& request)>;

  ScriptedServer(Loop& loop, Script script, std::shared_ptr<const TlsServerContext> tls = nullptr)
      : loop_(loop), script_(std::move(script)), tls_(std::move(tls)) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const Address any = *Address::parse("127.0.0.1:0");
    EXPECT_EQ(bind(fd_, any.get(), any.length()), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    loop_.watch(fd_, *this);
  }
  ~ScriptedServer() {
    loop_.unwatch(fd_);
    close(fd_);
  }

  uint16_t port() const {
    sockaddr_storage storage;
    socklen_t length = sizeof storage;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &length);
    return Address(reinterpret_cast<const sockaddr*>(&storage), length).port();
  }
  // Answers as soon as the head is in, without waiting for the body.
  void answer_at_head() { at_head_ = true; }
  // Closes every open connection in this manner, now.
  void close_all(Then how) {
    how_ = how;
    const std::map<int, Cancel*> open = open_;
    for (const auto& [fd, cancel] : open) cancel->cancel(Outcome::Draining);
  }

  int accepted = 0;
  int resumed = 0;                      // TLS sessions
  std::vector<std::string> requests;    // as far as they were read whole
  std::vector<std::string> tls_errors;  // of failed handshakes
  size_t open() const { return open_.size(); }
  // False if the machine does not let a test drop a connection without a word: it was reset.
  bool can_vanish = true;

 private:
  void on_events(uint32_t) override {
    for (;;) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      ++accepted;
      tasks_.spawn(serve(fd));
    }
  }

  static bool whole(const std::string& bytes, bool at_head) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const size_t field = bytes.find("Content-Length: ");
    if (at_head || field == std::string::npos || field > end) return true;
    return bytes.size() - end - 4 >= std::stoul(bytes.substr(field + 16));
  }

  Task<void> serve(int fd) {
    auto socket = std::make_unique<Socket>(loop_, fd);
    Socket* raw = socket.get();
    std::unique_ptr<Stream> stream = std::move(socket);
    Cancel cancel;
    const Until until(Deadline::never(), &cancel);
    open_[fd] = &cancel;
    Then then = Then::Close;
    if (tls_ != nullptr) {
      Result<std::unique_ptr<Stream>> accepted_tls =
          co_await tls_->accept(std::move(stream), until);
      if (!accepted_tls) {
        tls_errors.push_back(accepted_tls.error().message());
        open_.erase(fd);
        co_return;
      }
      stream = *std::move(accepted_tls);
      if (tls_resumed(*stream)) ++resumed;
    }
    std::string bytes;
    std::vector<char> chunk(64 * 1024);
    for (bool going = true; going;) {
      const IoResult got = co_await stream->read_some(chunk, until);
      if (got.status == IoStatus::Cancelled) then = how_;
      if (!got.ok()) break;
      bytes.append(chunk.data(), got.bytes);
      if (!whole(bytes, at_head_)) continue;
      requests.push_back(std::exchange(bytes, ""));
      const Answer answer = script_(requests.back());
      co_await send(*stream, answer, until);
      if (answer.then == Then::Keep) continue;
      going = false;
      then = answer.then;
      if (then == Then::Stall) {
        co_await Sleep(loop_, until);
        then = how_;
      }
    }
    open_.erase(fd);
    if (then == Then::Reset) raw->abort_on_close();
    if (then == Then::Vanish) {
      const int on = 1;
      can_vanish = setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0;
      if (!can_vanish) raw->abort_on_close();
    }
    if (then == Then::Close && !unfriendly_end) stream->finish();
  }

  Task<void> send(Stream& stream, const Answer& answer, Until until) {
    if (!answer.by_the_byte) {
      co_await stream.write_all(answer.bytes, until);
      co_return;
    }
    for (size_t i = 0; i < answer.bytes.size(); ++i) {
      co_await stream.write_all(std::string_view(answer.bytes).substr(i, 1), until);
      Bell next_turn;
      loop_.post([&next_turn] { next_turn.ring(); });
      co_await next_turn.listen(loop_, Until::forever());
    }
  }

 public:
  bool unfriendly_end = false;  // TLS: no close_notify before the end

 private:
  Loop& loop_;
  Script script_;
  std::shared_ptr<const TlsServerContext> tls_;
  int fd_;
  bool at_head_ = false;
  Then how_ = Then::Close;
  std::map<int, Cancel*> open_;
  TaskGroup tasks_;
};

// What came of one call, read to its end.
struct Fetched {
  int status = 0;
  std::string body;
  std::optional<Outcome> error;
  std::string message;
  CallTrace trace;
};

class ClientTest : public ::testing::Test {
 protected:
  explicit ClientTest(Resolver::Lookup lookup =
                          [](const std::string& host) {
                            return Result<std::vector<Address>>(
                                Error(Outcome::DnsError, "no such name: " + host));
                          })
      : resolver_(clock_, Resolver::Options(), std::move(lookup)) {}

  std::shared_ptr<Origin> origin_of(const ScriptedServer& server) {
    auto origin = std::make_shared<Origin>();
    origin->host = "127.0.0.1";
    origin->port = server.port();
    return origin;
  }

  enum class Way : uint8_t { ReadAll, Next };

  Task<void> fetch_into(Fetched& into, std::shared_ptr<const Origin> origin, std::string body,
                        Until until, Way way, bool& done) {
    const std::string_view part = body;
    CallRequest request;
    request.head = head_;
    request.head_only = head_.starts_with("HEAD");
    if (!part.empty()) request.body = {&part, 1};
    Result<CallReply> reply =
        co_await client_.call(std::move(origin), request, timeouts_, until, into.trace);
    if (!reply) {
      note(into, reply.error());
    } else {
      into.status = reply->head().status;
      if (way == Way::ReadAll) {
        const Result<std::string_view> all = co_await reply->read_all(limit_, until);
        if (all) into.body = *all;
        if (!all) note(into, all.error());
      } else {
        reply->release_head();
        for (;;) {
          const Result<std::string_view> piece = co_await reply->next(until);
          if (!piece) note(into, piece.error());
          if (!piece || piece->empty()) break;
          into.body += *piece;
        }
      }
    }
    done = true;
  }

  static void note(Fetched& into, const Error& error) {
    into.error = error.outcome();
    into.message = error.message();
  }

  // Runs one call to its end. `step` moves the clock once nothing happens any more.
  Fetched fetch(std::shared_ptr<const Origin> origin, std::string body = "{}",
                Until until = Until::forever(), Way way = Way::ReadAll, Nanos step = 0) {
    Fetched result;
    bool done = false;
    loop_.tasks().spawn(fetch_into(result, std::move(origin), std::move(body), until, way, done));
    for (int turn = 0; !done && turn < 5000; ++turn) {
      loop_.turn(2 * kMillisecond);
      if (step != 0 && turn > 20) clock_.advance(step);
    }
    EXPECT_TRUE(done) << "the call did not end";
    if (!done) loop_.tasks().clear();
    return result;
  }

  // Lets everything that has happened on the sockets be noticed.
  void settle() {
    for (int i = 0; i < 5; ++i) loop_.turn(0);
  }
  void pass(Nanos time) {
    clock_.advance(time);
    settle();
  }

  test::ManualClock clock_;
  Loop loop_{clock_};
  Resolver resolver_;
  Client client_{loop_, resolver_};
  CallTimeouts timeouts_;
  std::string head_ = "POST /v1/chat/completions HTTP/1.1\r\nContent-Type: application/json\r\n";
  uint64_t limit_ = 1 << 20;
};

inline std::string ok_reply(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace sluice::net
