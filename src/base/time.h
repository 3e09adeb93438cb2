// Time and cancellation as values. A Clock is passed in, never read from a global, so tests own it.
#pragma once

#include <cstdint>
#include <limits>

#include "base/outcome.h"

namespace sluice {

// Nanoseconds of the monotonic clock. Meaningful only as differences.
using Nanos = int64_t;

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanos monotonic() const = 0;
  // Microseconds since 1970-01-01 UTC.
  virtual int64_t wall_micros() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Nanos monotonic() const override;
  int64_t wall_micros() const override;
};

// A point on the monotonic clock, or never.
class Deadline {
 public:
  static constexpr Deadline never() { return Deadline(std::numeric_limits<Nanos>::max()); }
  static constexpr Deadline at(Nanos when) { return Deadline(when); }

  constexpr Nanos when() const { return when_; }
  constexpr bool is_never() const { return when_ == std::numeric_limits<Nanos>::max(); }
  constexpr bool passed(Nanos now) const { return now >= when_; }
  constexpr Deadline earlier(Deadline other) const { return when_ < other.when_ ? *this : other; }

  friend constexpr bool operator==(Deadline, Deadline) = default;

 private:
  explicit constexpr Deadline(Nanos when) : when_(when) {}
  Nanos when_;
};

// Something that can be told to give up; see Cancel.
class CancelHook {
 public:
  virtual void on_cancel() = 0;

 protected:
  ~CancelHook() = default;
};

// Why a chain of coroutines should stop, and the one leaf wait that must hear of it now.
// Single-threaded. An exchange is one chain, so at most one wait is suspended at a time: one slot
// is enough.
class Cancel {
 public:
  // Later calls change nothing: the first reason stays.
  void cancel(Outcome why) {
    if (cancelled_) return;
    cancelled_ = true;
    why_ = why;
    if (hook_ != nullptr) hook_->on_cancel();
  }
  bool cancelled() const { return cancelled_; }
  // Requires: cancelled().
  Outcome why() const { return why_; }
  void reset() { cancelled_ = false; }

  // For leaf waits only.
  void attach(CancelHook* hook) { hook_ = hook; }
  void detach(CancelHook* hook) {
    if (hook_ == hook) hook_ = nullptr;
  }

 private:
  CancelHook* hook_ = nullptr;
  Outcome why_ = Outcome::ClientClosed;
  bool cancelled_ = false;
};

// How long a leaf wait may last: until a moment passes or somebody cancels. Made in the exchange,
// handed down by value. `cancel` may be null and must outlive the wait.
class Until {
 public:
  explicit Until(Deadline deadline, Cancel* cancel = nullptr)
      : deadline_(deadline), cancel_(cancel) {}
  static Until forever() { return Until(Deadline::never()); }

  Deadline deadline() const { return deadline_; }
  Cancel* cancel() const { return cancel_; }
  Until earlier(Deadline deadline) const { return Until(deadline_.earlier(deadline), cancel_); }

 private:
  Deadline deadline_;
  Cancel* cancel_;
};

}  // namespace sluice
