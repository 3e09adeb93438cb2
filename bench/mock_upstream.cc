// A provider that costs as little as possible: one thread, one epoll loop, canned answers.
//
//   mock_upstream --port N [--tls CERT KEY] [--interval-us N]
//
// POST answers by the request's model and its "stream" flag (mock_answers.h); a stream sends one
// event every interval, each in a send of its own; with interval 0, one event per loop turn.
// Models: bench-idle (begins, then silence), bench-fast (no interval), bench-slow (a whole
// answer after one interval), bench-500, bench-429, bench-cut (the connection dies in mid-answer);
// any other is answered well.
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <vector>

#include "bench/mock_answers.h"
#include "bench/net.h"

namespace sluice::bench {
namespace {

constexpr int64_t kNsPerUs = 1000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

struct Conn {
  Stream io;
  std::string in;                  // bytes of a request not yet whole
  std::string out;                 // bytes the socket did not take
  const Script* script = nullptr;  // the stream being sent
  size_t next_part = 0;
  bool hurried = false;  // ignore the interval
  bool close_when_sent = false;
  uint32_t interest = 0;
};

// The value that follows `"name":` in a JSON text, blanks skipped; empty when the name is absent.
std::string_view value_after(std::string_view body, std::string_view quoted_name) {
  const void* hit = memmem(body.data(), body.size(), quoted_name.data(), quoted_name.size());
  if (hit == nullptr) return {};
  auto at = static_cast<size_t>(static_cast<const char*>(hit) - body.data()) + quoted_name.size();
  while (at < body.size() && (body[at] == ' ' || body[at] == ':')) ++at;
  return body.substr(at);
}

// Length of the whole request at the start of `in`, or 0 when more bytes are needed.
struct Framing {
  size_t head = 0;
  size_t total = 0;
};

Framing frame(std::string_view in) {
  size_t end = in.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  size_t head = end + 4;
  size_t length = 0;
  bool chunked = false;
  for (size_t line = in.find("\r\n"); line < end; line = in.find("\r\n", line + 2)) {
    const char* name = in.data() + line + 2;
    if (strncasecmp(name, "content-length:", 15) == 0)
      length = std::strtoul(name + 15, nullptr, 10);
    if (strncasecmp(name, "transfer-encoding:", 18) == 0) chunked = true;
  }
  if (chunked) {
    size_t last = in.find("0\r\n\r\n", head);
    return {head, last == std::string_view::npos ? 0 : last + 5};
  }
  return {head, in.size() >= head + length ? head + length : 0};
}

class Mock {
 public:
  Mock(int port, TlsContext tls, int64_t interval_ns)
      : answers_(make_answers()),
        tls_(std::move(tls)),
        interval_ns_(interval_ns),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        listener_(listen_on(port)) {
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    while (true) {
      timespec wait = time_to_next();
      int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                               wait.tv_sec < 0 ? nullptr : &wait, nullptr);
      for (int i = 0; i < count; ++i) on_event(events[static_cast<size_t>(i)]);
      send_due_events();
    }
  }

 private:
  struct Due {
    int64_t at;
    std::weak_ptr<Conn> conn;
  };

  void watch(int fd, uint32_t interest, int operation) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  // One interval for all, so the queue of due events is in order by itself.
  timespec time_to_next() const {
    if (!hurried_.empty()) return {0, 0};
    if (due_.empty()) return {-1, 0};
    int64_t left = std::max<int64_t>(0, due_.front().at - now_ns());
    return {left / kNsPerSecond, left % kNsPerSecond};
  }

  void on_event(const epoll_event& event) {
    int fd = event.data.fd;
    if (fd == listener_) return accept_all();
    std::shared_ptr<Conn> conn = conns_[static_cast<size_t>(fd)];
    if (!conn) return;
    if (!conn->out.empty()) {
      send(conn, {});
      bool unfinished = conn->script != nullptr && conn->next_part < conn->script->size();
      if (conn->out.empty() && conn->hurried && unfinished) hurried_.push_back(conn);
    }
    if (conn->io.is_open()) read_all(conn);
  }

  void accept_all() {
    while (true) {
      Stream io = accept_from(listener_, tls_.get());
      if (!io.is_open()) return;
      int fd = io.fd();
      auto conn = std::make_shared<Conn>();
      conn->io = std::move(io);
      conn->interest = EPOLLIN;
      if (conns_.size() <= static_cast<size_t>(fd)) conns_.resize(static_cast<size_t>(fd) + 1);
      conns_[static_cast<size_t>(fd)] = conn;
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void drop(const std::shared_ptr<Conn>& conn) {
    conns_[static_cast<size_t>(conn->io.fd())].reset();
    conn->io.close();
  }

  void read_all(const std::shared_ptr<Conn>& conn) {
    while (conn->io.is_open()) {
      ssize_t got = conn->io.read(scratch_.data(), scratch_.size());
      if (got < 0) return drop(conn);
      if (got == 0) return;
      std::string_view fresh(scratch_.data(), static_cast<size_t>(got));
      if (conn->in.empty()) {
        size_t used = take_requests(conn, fresh);
        if (used < fresh.size()) conn->in.assign(fresh.substr(used));
      } else {
        conn->in.append(fresh);
        conn->in.erase(0, take_requests(conn, conn->in));
      }
      if (tls_ == nullptr && static_cast<size_t>(got) < scratch_.size()) return;
    }
  }

  size_t take_requests(const std::shared_ptr<Conn>& conn, std::string_view in) {
    size_t used = 0;
    while (used < in.size() && conn->io.is_open()) {
      std::string_view rest = in.substr(used);
      Framing framing = frame(rest);
      if (framing.total == 0) break;
      answer(conn, rest, rest.substr(framing.head, framing.total - framing.head));
      used += framing.total;
    }
    return used;
  }

  void answer(const std::shared_ptr<Conn>& conn, std::string_view request, std::string_view body) {
    if (request.starts_with("GET /v1/models")) return send(conn, answers_.models);
    if (request.starts_with("GET ")) return send(conn, answers_.health);
    if (!request.starts_with("POST /v1/chat/completions")) return send(conn, answers_.not_found);
    std::string_view model = value_after(body, "\"model\"");
    if (model.starts_with("\"bench-500\"")) return send(conn, answers_.server_error);
    if (model.starts_with("\"bench-429\"")) return send(conn, answers_.rate_limited);
    bool cut = model.starts_with("\"bench-cut\"");
    bool stream = value_after(body, "\"stream\"").starts_with("true");
    conn->close_when_sent = cut;
    if (model.starts_with("\"bench-slow\"")) return answer_later(conn);
    if (!stream) return send(conn, cut ? answers_.half_chat : answers_.chat);
    bool idle = model.starts_with("\"bench-idle\"");
    bool usage = value_after(body, "\"include_usage\"").starts_with("true");
    conn->script = cut     ? &answers_.cut_stream
                   : idle  ? &answers_.idle_stream
                   : usage ? &answers_.stream_with_usage
                           : &answers_.stream;
    conn->next_part = 0;
    conn->hurried = interval_ns_ == 0 || model.starts_with("\"bench-fast\"");
    send_part(conn);
  }

  void answer_later(const std::shared_ptr<Conn>& conn) {
    conn->script = &answers_.slow_chat;
    conn->next_part = 0;
    conn->hurried = false;
    due_.push_back({now_ns() + interval_ns_, conn});
  }

  void send_due_events() {
    int64_t now = due_.empty() ? 0 : now_ns();
    while (!due_.empty() && due_.front().at <= now) {
      std::shared_ptr<Conn> conn = due_.front().conn.lock();
      due_.pop_front();
      if (conn && conn->io.is_open()) send_part(conn);
    }
    std::vector<std::weak_ptr<Conn>> turn;
    turn.swap(hurried_);
    for (const std::weak_ptr<Conn>& weak : turn) {
      std::shared_ptr<Conn> conn = weak.lock();
      if (conn && conn->io.is_open()) send_part(conn);
    }
  }

  void send_part(const std::shared_ptr<Conn>& conn) {
    if (conn->out.empty()) send(conn, (*conn->script)[conn->next_part++]);
    if (!conn->io.is_open() || conn->next_part == conn->script->size()) return;
    if (conn->hurried) {
      if (conn->out.empty()) hurried_.push_back(conn);
    } else {
      due_.push_back({now_ns() + interval_ns_, conn});
    }
  }

  // Sends what waits and then `bytes`; what the socket refuses is kept for the next EPOLLOUT.
  void send(const std::shared_ptr<Conn>& conn, std::string_view bytes) {
    bool waiting = !conn->out.empty();
    if (waiting) conn->out.append(bytes);
    std::string_view rest = waiting ? std::string_view(conn->out) : bytes;
    while (!rest.empty()) {
      ssize_t put = conn->io.write(rest.data(), rest.size());
      if (put < 0) return drop(conn);
      if (put == 0) break;
      rest.remove_prefix(static_cast<size_t>(put));
    }
    bool script_over = conn->script == nullptr || conn->next_part == conn->script->size();
    if (rest.empty() && conn->close_when_sent && script_over) return drop(conn);
    if (waiting || !rest.empty()) conn->out = std::string(rest);
    uint32_t interest = EPOLLIN;
    if (!rest.empty() && conn->io.blocked_on_write()) interest |= EPOLLOUT;
    if (interest != conn->interest) {
      conn->interest = interest;
      watch(conn->io.fd(), interest, EPOLL_CTL_MOD);
    }
  }

  Answers answers_;
  TlsContext tls_;
  int64_t interval_ns_;
  int epoll_;
  int listener_;
  std::vector<std::shared_ptr<Conn>> conns_;  // by descriptor
  std::deque<Due> due_;
  std::vector<std::weak_ptr<Conn>> hurried_;
  std::string scratch_ = std::string(1 << 16, '\0');
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  int port = 0;
  int64_t interval_us = 10'000;
  TlsContext tls;
  for (int i = 1; i < argc; ++i) {
    std::string_view flag = argv[i];
    if (flag == "--port" && i + 1 < argc) {
      port = std::atoi(argv[++i]);
    } else if (flag == "--interval-us" && i + 1 < argc) {
      interval_us = std::atoll(argv[++i]);
    } else if (flag == "--tls" && i + 2 < argc) {
      tls = server_tls(argv[i + 1], argv[i + 2]);
      i += 2;
    } else {
      die("usage: mock_upstream --port N [--tls CERT KEY] [--interval-us N]");
    }
  }
  prepare_process();
  Mock(port, std::move(tls), interval_us * kNsPerUs).run();
}
