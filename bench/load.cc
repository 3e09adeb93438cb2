// The load generator: one thread, one epoll loop, keep-alive connections; prints one JSON line.
//
// Latency is counted from the planned start of a request, so a stalled server cannot hide its
// stall by keeping the generator from asking. CPU time of the watched processes is read at the
// same two moments that bound the counted window.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <deque>
#include <fmt/core.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <vector>

#include "bench/histogram.h"
#include "bench/load_options.h"
#include "bench/net.h"
#include "bench/response_reader.h"

namespace sluice::bench {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kDrainNs = 2 * kNsPerSecond;
constexpr int64_t kReconnectPauseNs = 10'000'000;
constexpr int kOpeningAtOnce = 128;

int64_t to_ns(double seconds) {
  return static_cast<int64_t>(seconds * 1e9);
}

struct Client {
  Stream io;
  ResponseReader reader;
  bool busy = false;
  bool writable_wanted = false;
  size_t sent = 0;  // bytes of the request the socket has taken
  int64_t planned_ns = 0;
  int64_t events_seen = 0;  // of the stream in progress, already counted
  bool held = false;
};

struct Tally {
  uint64_t answers = 0;
  uint64_t events = 0;
  uint64_t event_reads = 0;  // reads that brought at least one event
  uint64_t wrong = 0;        // answered, but not as expected
  uint64_t broken = 0;       // connection failed or answer unreadable
  uint64_t body_bytes = 0;
  Histogram latency;
  Histogram first_event;
  Histogram first_content;
};

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options),
        request_(options.request()),
        tls_(options.tls ? client_tls() : nullptr),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        clients_(static_cast<size_t>(options.connections)) {}

  int run() {
    start_ns_ = now_ns();
    window_from_ = start_ns_ + to_ns(options_.warmup_s);
    window_to_ = window_from_ + to_ns(options_.window_s);
    plan_first_requests();
    while (!finished()) turn();
    if (window_open_ && !window_closed_) close_window(now_ns());
    report();
    if (options_.mode == Mode::hold) wait_for_end_of_input();
    return 0;
  }

 private:
  struct Start {
    int64_t at;
    size_t client;
  };

  void plan_first_requests() {
    if (options_.mode == Mode::rate) {
      for (size_t i = 0; i < clients_.size(); ++i) idle_.push_back(i);
      return;
    }
    int64_t step = to_ns(options_.stagger_s) / options_.connections;
    for (size_t i = 0; i < clients_.size(); ++i) {
      starts_.push_back({start_ns_ + static_cast<int64_t>(i) * step, i});
    }
  }

  bool finished() const {
    if (options_.mode == Mode::hold) {
      return held_ + given_up_ == clients_.size();
    }
    if (options_.requests > 0) return window_open_ && finished_requests() >= wanted();
    bool drained = options_.mode != Mode::rate || idle_.size() == clients_.size();
    int64_t now = now_ns();
    return window_closed_ && (drained || now > window_to_ + kDrainNs);
  }

  uint64_t finished_requests() const { return counted_.answers + counted_.wrong + counted_.broken; }
  uint64_t wanted() const { return static_cast<uint64_t>(options_.requests); }

  void turn() {
    std::vector<epoll_event>& events = events_;
    timespec wait = time_to_next();
    int count =
        epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    watch_window();
    for (int i = 0; i < count; ++i) on_event(events[static_cast<size_t>(i)].data.u32);
    start_due_requests();
  }

  timespec time_to_next() const {
    int64_t now = now_ns();
    int64_t next = now + kNsPerSecond / 50;
    if (!starts_.empty()) next = std::min(next, starts_.front().at);
    if (options_.mode == Mode::rate && now < window_to_) next = std::min(next, next_planned());
    if (options_.mode != Mode::hold) {
      next = std::min(next, std::max(now, window_open_ ? window_to_ : window_from_));
    }
    int64_t left = window_closed_ ? kNsPerSecond / 100 : std::max<int64_t>(0, next - now);
    return {left / kNsPerSecond, left % kNsPerSecond};
  }

  int64_t next_planned() const {
    return start_ns_ + static_cast<int64_t>(static_cast<double>(planned_) * 1e9 / options_.rate);
  }

  void watch_window() {
    if (options_.mode == Mode::hold) return;
    int64_t now = now_ns();
    if (!window_open_ && now >= window_from_) {
      window_open_ = true;
      opened_at_ = now;
      cpu_ns_ = -watched_cpu();
      own_cpu_ns_ = -own_cpu();
    }
    if (window_open_ && !window_closed_ && options_.requests == 0 && now >= window_to_) {
      close_window(now);
    }
  }

  void close_window(int64_t now) {
    window_closed_ = true;
    closed_at_ = now;
    cpu_ns_ += watched_cpu();
    own_cpu_ns_ += own_cpu();
  }

  bool counting() const { return window_open_ && !window_closed_; }

  int64_t watched_cpu() const {
    int64_t sum = 0;
    for (int pid : options_.watch) sum += process_cpu_ns(pid);
    return sum;
  }

  static int64_t own_cpu() { return process_cpu_ns(0); }

  void start_due_requests() {
    int64_t now = now_ns();
    while (!starts_.empty() && starts_.front().at <= now) {
      if (options_.mode == Mode::hold && opening_ >= kOpeningAtOnce) break;
      Start start = starts_.front();
      starts_.pop_front();
      begin(start.client, options_.stagger_s > 0 ? start.at : now);
    }
    if (options_.mode != Mode::rate) return;
    while (now < window_to_ && next_planned() <= now) {
      backlog_.push_back(next_planned());
      ++planned_;
    }
    while (!backlog_.empty() && !idle_.empty()) {
      int64_t planned = backlog_.front();
      backlog_.pop_front();
      size_t client = idle_.back();
      idle_.pop_back();
      begin(client, planned);
    }
  }

  void begin(size_t index, int64_t planned_ns) {
    Client& client = clients_[index];
    client.reader.start();
    client.busy = true;
    client.sent = 0;
    client.events_seen = 0;
    client.planned_ns = planned_ns;
    ++opening_;
    if (!client.io.is_open()) {
      client.io = connect_to(options_.port, tls_.get());
      if (!client.io.is_open()) return fail(index);
      watch(client, index, EPOLL_CTL_ADD, true);
    }
    push(index);
  }

  void watch(Client& client, size_t index, int operation, bool writable) {
    epoll_event event{};
    event.events = EPOLLIN | (writable ? EPOLLOUT : 0U);
    event.data.u32 = static_cast<uint32_t>(index);
    client.writable_wanted = writable;
    epoll_ctl(epoll_, operation, client.io.fd(), &event);
  }

  void push(size_t index) {
    Client& client = clients_[index];
    while (client.sent < request_.size()) {
      ssize_t put = client.io.write(request_.data() + client.sent, request_.size() - client.sent);
      if (put < 0) return fail(index);
      if (put == 0) break;
      client.sent += static_cast<size_t>(put);
    }
    bool want = client.sent < request_.size() && client.io.blocked_on_write();
    if (want != client.writable_wanted) watch(client, index, EPOLL_CTL_MOD, want);
  }

  void on_event(size_t index) {
    Client& client = clients_[index];
    if (!client.io.is_open()) return;
    if (client.busy && client.sent < request_.size()) push(index);
    while (client.io.is_open()) {
      ssize_t got = client.io.read(scratch_.data(), scratch_.size());
      if (got < 0) return client.busy || client.held ? fail(index) : client.io.close();
      if (got == 0) return;
      take(index, std::string_view(scratch_.data(), static_cast<size_t>(got)));
      if (tls_ == nullptr && static_cast<size_t>(got) < scratch_.size()) return;
    }
  }

  void take(size_t index, std::string_view bytes) {
    Client& client = clients_[index];
    if (!client.busy) return;  // a held stream's heartbeat
    client.reader.feed(bytes);
    if (client.reader.broken()) return fail(index);
    int64_t fresh = client.reader.events() - client.events_seen;
    if (fresh > 0) {
      if (counting()) {
        counted_.events += static_cast<uint64_t>(fresh);
        ++counted_.event_reads;
      }
      if (client.events_seen == 0 && counting()) {
        counted_.first_event.add(now_ns() - client.planned_ns);
      }
      // The first event names the role; the second is the first a user sees something of.
      if (client.events_seen < 2 && client.reader.events() >= 2 && counting()) {
        counted_.first_content.add(now_ns() - client.planned_ns);
      }
      client.events_seen = client.reader.events();
    }
    bool first_of_held = options_.mode == Mode::hold && options_.stream && client.events_seen > 0;
    if (first_of_held || client.reader.done()) answered(index);
  }

  void answered(size_t index) {
    Client& client = clients_[index];
    const ResponseReader& reader = client.reader;
    bool right = reader.status() == 200 &&
                 (options_.expect_bytes < 0 || reader.body_bytes() == options_.expect_bytes) &&
                 (options_.expect_events < 0 || reader.events() == options_.expect_events) &&
                 (!options_.stream || options_.mode == Mode::hold || reader.ended_with_done());
    if (counting() || options_.mode == Mode::hold) {
      right ? ++counted_.answers : ++counted_.wrong;
      if (!right)
        last_wrong_ = fmt::format("status {} bytes {} events {}", reader.status(),
                                  reader.body_bytes(), reader.events());
      counted_.body_bytes += static_cast<uint64_t>(reader.body_bytes());
      counted_.latency.add(now_ns() - client.planned_ns);
    }
    if (options_.requests > 0 && finished_requests() >= wanted() && !window_closed_) {
      close_window(now_ns());
    }
    next(index);
  }

  void fail(size_t index) {
    Client& client = clients_[index];
    client.io.close();
    if (client.held) {
      ++lost_;
      return;
    }
    if (counting() || options_.mode == Mode::hold) ++counted_.broken;
    client.busy = false;
    --opening_;
    if (options_.mode == Mode::hold && counted_.broken > clients_.size()) {
      ++given_up_;
      return;
    }
    if (options_.mode == Mode::rate) return idle_.push_back(index);
    starts_.push_back({now_ns() + kReconnectPauseNs, index});
  }

  void next(size_t index) {
    Client& client = clients_[index];
    client.busy = false;
    --opening_;
    if (options_.mode == Mode::hold) {
      client.held = true;
      ++held_;
    } else if (options_.mode == Mode::rate) {
      idle_.push_back(index);
    } else if (!window_closed_) {
      begin(index, now_ns());
    }
  }

  void report() const {
    double seconds = static_cast<double>(closed_at_ - opened_at_) / 1e9;
    const Histogram& latency = counted_.latency;
    const Histogram& first = counted_.first_event;
    fmt::print(
        R"({{"seconds":{:.4f},"answers":{},"events":{},"event_reads":{},"wrong":{},"broken":{},"body_bytes":{},)"
        R"("p50_us":{:.1f},"p90_us":{:.1f},"p99_us":{:.1f},"max_us":{:.1f},)"
        R"("first_p50_us":{:.1f},"first_p99_us":{:.1f},"content_p50_us":{:.1f},"cpu_ns":{},"load_cpu_ns":{},)"
        R"("backlog":{},"held":{},"lost":{},"last_wrong":"{}"}})"
        "\n",
        seconds, counted_.answers, counted_.events, counted_.event_reads, counted_.wrong,
        counted_.broken, counted_.body_bytes, us(latency.at(0.5)), us(latency.at(0.9)),
        us(latency.at(0.99)), us(latency.max()), us(first.at(0.5)), us(first.at(0.99)),
        us(counted_.first_content.at(0.5)), cpu_ns_, own_cpu_ns_, backlog_.size(), held_, lost_,
        last_wrong_);
    std::fflush(stdout);
  }

  static double us(int64_t ns) { return static_cast<double>(ns) / 1000; }

  // Held connections stay open, and heartbeats on them are read and dropped.
  void wait_for_end_of_input() {
    pollfd input{0, POLLIN, 0};
    while (poll(&input, 1, 0) == 0) {
      timespec wait{0, kNsPerSecond / 20};
      int count =
          epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &wait, nullptr);
      for (int i = 0; i < count; ++i) on_event(events_[static_cast<size_t>(i)].data.u32);
    }
    fmt::print("{{\"lost\":{}}}\n", lost_);
  }

  LoadOptions options_;
  std::string request_;
  TlsContext tls_;
  int epoll_;
  std::vector<Client> clients_;
  std::vector<epoll_event> events_ = std::vector<epoll_event>(512);
  std::string scratch_ = std::string(1 << 16, '\0');

  int64_t start_ns_ = 0;
  int64_t window_from_ = 0;
  int64_t window_to_ = 0;
  int64_t opened_at_ = 0;
  int64_t closed_at_ = 0;
  bool window_open_ = false;
  bool window_closed_ = false;
  int64_t cpu_ns_ = 0;
  int64_t own_cpu_ns_ = 0;

  std::deque<Start> starts_;     // requests with a fixed client, in order of time
  std::vector<size_t> idle_;     // rate mode: clients with nothing to do
  std::deque<int64_t> backlog_;  // rate mode: planned times not yet begun
  uint64_t planned_ = 0;
  int opening_ = 0;  // requests in flight
  size_t held_ = 0;
  size_t given_up_ = 0;
  uint64_t lost_ = 0;  // held connections the server closed
  Tally counted_;
  std::string last_wrong_;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  sluice::bench::LoadOptions options = sluice::bench::parse_options(argc, argv);
  sluice::bench::prepare_process();
  return sluice::bench::Load(options).run();
}
