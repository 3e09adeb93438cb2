// The event loop of one thread: an edge-triggered epoll set, a timer wheel and a mailbox.
//
// Everything that belongs to a loop is touched by its thread alone; post() and stop() are the only
// doors for others.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/task.h"
#include "base/time.h"
#include "net/timer.h"

namespace sluice::net {

// Something the epoll set speaks to: the owner of one descriptor.
class EventTarget {
 public:
  // `events` are epoll's bits. The target may destroy itself and any other target inside.
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~EventTarget() = default;
};

// Something to do at the end of a turn, when all that came in with it has been read. What is sent
// then goes out back to back, so that a busy peer on the same host is woken once for many messages
// and not once for each.
class Deferred {
 public:
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;

 protected:
  Deferred() = default;
  ~Deferred() { unlink(); }

 private:
  friend class Loop;
  virtual void on_turn_end() = 0;
  bool linked() const { return next_ != this; }
  void take_over(Deferred& ring);
  void unlink();

  Deferred* previous_ = this;
  Deferred* next_ = this;
};

class Loop {
 public:
  explicit Loop(const Clock& clock);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Turns until stop().
  void run();
  // One turn: waits for events for at most `longest`, then handles them, the timers due, the
  // mailbox, and what was deferred meanwhile.
  void turn(Nanos longest);
  // Calls `work` at the end of this turn, once, unless it is destroyed before; at the end of the
  // next one if this turn's end has come already. In the order of deferring; deferring twice is the
  // same as once.
  void defer(Deferred& work);
  bool has_deferred() const { return deferred_.linked(); }
  // From any thread.
  void stop();
  // Runs `work` on the loop's thread in a later turn. From any thread.
  void post(std::function<void()> work);

  // The monotonic clock as read at the start of this turn.
  Nanos now() const { return now_; }
  // The monotonic clock, read afresh: for measuring inside a turn.
  Nanos read_clock() const { return clock_.monotonic(); }
  // Wall clock of this turn, in microseconds since 1970: read once a turn, when first asked for.
  int64_t wall_micros();
  Deadline after(Nanos wait) const { return Deadline::at(now_ + wait); }
  const Clock& clock() const { return clock_; }
  TimerWheel& timers() { return timers_; }
  // Roots of the coroutines that nobody awaits.
  TaskGroup& tasks() { return tasks_; }

  // Edge-triggered for reading, writing and hang-up. Throws std::system_error if the kernel
  // refuses.
  void watch(int fd, EventTarget& target);
  // Must be called before the descriptor is closed.
  void unwatch(int fd);

  // Bytes for reading into, shared by everything on this loop: what stands there is gone at the
  // next suspension. One shared buffer is why an idle connection or stream holds none. It ends with
  // slack() bytes beyond its size that may be read but mean nothing, as the JSON reader needs.
  std::span<char> scratch() { return {scratch_.get(), kScratchSize}; }
  static constexpr size_t slack() { return 64; }

 private:
  static constexpr size_t kScratchSize = 64 * 1024;
  struct Watched {
    EventTarget* target = nullptr;
    uint32_t generation = 0;
  };

  class DeferredList final : public Deferred {
    void on_turn_end() override {}
  };

  void run_mailbox();
  void run_deferred();

  const Clock& clock_;
  Nanos now_;
  int64_t wall_micros_ = 0;
  Nanos wall_read_at_ = -1;  // the turn it is of
  TimerWheel timers_;
  int epoll_fd_;
  int wake_fd_;
  std::vector<Watched> watched_;  // by descriptor
  std::unique_ptr<char[]> scratch_;
  DeferredList deferred_;  // a ring, with this as its end

  std::atomic<bool> stopping_{false};
  std::mutex mailbox_lock_;
  std::vector<std::function<void()>> mailbox_;

  TaskGroup tasks_;  // last: its coroutines use all of the above while they are destroyed
};

// Why a wait ended.
enum class Wake : uint8_t { Ready, Timeout, Cancelled };

// The base of every leaf wait: a suspended coroutine, the moment it gives up, and the Cancel it
// listens to. Lives in the frame of the coroutine that waits; destroying it (with the frame)
// detaches it from everything.
class Wait : private Timer, private CancelHook {
 public:
  Wait(Loop& loop, Until until) : loop_(loop), until_(until) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  // Resumes the coroutine, inside this call.
  void wake(Wake why);

 protected:
  ~Wait() {
    if (until_.cancel() != nullptr) until_.cancel()->detach(this);
  }
  // True if there is no sense in suspending: cancelled already. Sets why().
  bool given_up();
  void suspend(std::coroutine_handle<> coroutine);
  Wake why() const { return why_; }
  Loop& loop() { return loop_; }
  Until until() const { return until_; }
  // For waits that stay suspended over several steps: moves the moment to give up.
  void extend(Deadline deadline);

 private:
  void on_timer() override { wake(Wake::Timeout); }
  void on_cancel() override { wake(Wake::Cancelled); }

  Loop& loop_;
  Until until_;
  std::coroutine_handle<> coroutine_;
  Wake why_ = Wake::Ready;
};

// co_await Sleep(loop, until): until its deadline (Wake::Timeout) or cancel.
class Sleep final : public Wait {
 public:
  using Wait::Wait;
  bool await_ready() { return given_up(); }
  void await_suspend(std::coroutine_handle<> coroutine) { suspend(coroutine); }
  Wake await_resume() const { return why(); }
};

// co_await Yield(loop): goes on at the end of this turn, or of the next one if that has come. For
// work that could go on for long without ever waiting.
class Yield final : private Deferred {
 public:
  explicit Yield(Loop& loop) : loop_(loop) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    coroutine_ = coroutine;
    loop_.defer(*this);
  }
  void await_resume() const {}

 private:
  void on_turn_end() override { coroutine_.resume(); }
  Loop& loop_;
  std::coroutine_handle<> coroutine_;
};

// A one-slot bell: one coroutine waits, anybody on the same loop rings. A ring with nobody waiting
// is kept.
class Bell {
 public:
  class Listen final : public Wait {
   public:
    Listen(Bell& bell, Loop& loop, Until until) : Wait(loop, until), bell_(bell) {}
    ~Listen() {
      if (bell_.waiting_ == this) bell_.waiting_ = nullptr;
    }
    bool await_ready();
    void await_suspend(std::coroutine_handle<> coroutine);
    Wake await_resume();

   private:
    Bell& bell_;
  };

  Listen listen(Loop& loop, Until until) { return Listen(*this, loop, until); }
  void ring();

 private:
  Listen* waiting_ = nullptr;
  bool rung_ = false;
};

}  // namespace sluice::net
