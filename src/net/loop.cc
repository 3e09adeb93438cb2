#include "net/loop.h"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sluice::net {
namespace {

constexpr int kEventsPerTurn = 256;
// The mailbox's entry in the epoll set: no descriptor has this number.
constexpr uint64_t kMailbox = ~uint64_t{0};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int timeout_millis(Nanos wait) {
  if (wait <= 0) return 0;
  return static_cast<int>(std::min<Nanos>((wait + kMillisecond - 1) / kMillisecond, 60'000));
}

}  // namespace

Loop::Loop(const Clock& clock)
    : clock_(clock),
      now_(clock.monotonic()),
      timers_(now_),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      scratch_(std::make_unique<char[]>(kScratchSize + slack())) {
  if (epoll_fd_ < 0) fail("epoll_create1");
  if (wake_fd_ < 0) fail("eventfd");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kMailbox}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) fail("epoll_ctl");
}

Loop::~Loop() {
  tasks_.clear();
  close(wake_fd_);
  close(epoll_fd_);
}

void Loop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) turn(60 * kSecond);
}

void Loop::turn(Nanos longest) {
  if (deferred_.linked()) longest = 0;
  const Deadline due = timers_.next_due();
  if (!due.is_never()) longest = std::min(longest, due.when() - now_);

  epoll_event events[kEventsPerTurn];
  const int count = epoll_wait(epoll_fd_, events, kEventsPerTurn, timeout_millis(longest));
  now_ = clock_.monotonic();
  bool mail = false;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kMailbox) {
      mail = true;
      continue;
    }
    // An earlier target of this batch may have destroyed this one, and even reused its descriptor.
    const auto fd = static_cast<uint32_t>(events[i].data.u64);
    const auto generation = static_cast<uint32_t>(events[i].data.u64 >> 32);
    const Watched& watched = watched_[fd];
    if (watched.target != nullptr && watched.generation == generation) {
      watched.target->on_events(events[i].events);
    }
  }
  timers_.advance(now_);
  if (mail) run_mailbox();
  run_deferred();
}

void Loop::defer(Deferred& work) {
  if (work.linked()) return;
  work.previous_ = deferred_.previous_;
  work.next_ = &deferred_;
  work.previous_->next_ = &work;
  deferred_.previous_ = &work;
}

// What is deferred meanwhile waits for the next turn: nobody keeps the loop from its events.
void Loop::run_deferred() {
  DeferredList now;
  now.take_over(deferred_);
  while (now.linked()) {
    Deferred& work = *now.next_;
    work.unlink();
    work.on_turn_end();
  }
}

void Deferred::take_over(Deferred& ring) {
  if (!ring.linked()) return;
  next_ = ring.next_;
  previous_ = ring.previous_;
  next_->previous_ = previous_->next_ = this;
  ring.next_ = ring.previous_ = &ring;
}

void Deferred::unlink() {
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = this;
}

int64_t Loop::wall_micros() {
  if (wall_read_at_ != now_) {
    wall_read_at_ = now_;
    wall_micros_ = clock_.wall_micros();
  }
  return wall_micros_;
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mailbox_lock_);
    mailbox_.push_back(std::move(work));
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void Loop::run_mailbox() {
  uint64_t rings;
  [[maybe_unused]] const ssize_t got = read(wake_fd_, &rings, sizeof rings);
  std::vector<std::function<void()>> mail;
  {
    const std::lock_guard lock(mailbox_lock_);
    mail.swap(mailbox_);
  }
  for (auto& work : mail) work();
}

void Loop::watch(int fd, EventTarget& target) {
  const auto index = static_cast<size_t>(fd);
  if (index >= watched_.size()) watched_.resize(std::max(index + 1, watched_.size() * 2));
  Watched& watched = watched_[index];
  watched.target = &target;
  ++watched.generation;
  epoll_event event{
      .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
      .data = {.u64 = uint64_t{watched.generation} << 32 | static_cast<uint32_t>(fd)}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void Loop::unwatch(int fd) {
  watched_[static_cast<size_t>(fd)].target = nullptr;
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

bool Wait::given_up() {
  if (until_.cancel() == nullptr || !until_.cancel()->cancelled()) return false;
  why_ = Wake::Cancelled;
  return true;
}

void Wait::suspend(std::coroutine_handle<> coroutine) {
  coroutine_ = coroutine;
  if (!until_.deadline().is_never()) loop_.timers().arm(*this, until_.deadline().when());
  if (until_.cancel() != nullptr) until_.cancel()->attach(this);
}

void Wait::extend(Deadline deadline) {
  until_ = Until(deadline, until_.cancel());
  if (!deadline.is_never()) loop_.timers().arm(*this, deadline.when());
}

void Wait::wake(Wake why) {
  why_ = why;
  disarm();
  if (until_.cancel() != nullptr) until_.cancel()->detach(this);
  coroutine_.resume();
}

bool Bell::Listen::await_ready() {
  return std::exchange(bell_.rung_, false) || given_up();
}

void Bell::Listen::await_suspend(std::coroutine_handle<> coroutine) {
  bell_.waiting_ = this;
  suspend(coroutine);
}

Wake Bell::Listen::await_resume() {
  if (bell_.waiting_ == this) bell_.waiting_ = nullptr;
  return why();
}

void Bell::ring() {
  if (waiting_ != nullptr) {
    std::exchange(waiting_, nullptr)->wake(Wake::Ready);
  } else {
    rung_ = true;
  }
}

}  // namespace sluice::net
