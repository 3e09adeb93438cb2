// Timers of one loop: a hierarchical wheel, so that arming and disarming cost a few instructions
// however many connections wait. Resolution one millisecond; a timer never fires early.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace sluice::net {

class TimerWheel;

// Something with a moment to be woken at. Disarms itself when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const { return wheel_ != nullptr; }

 protected:
  ~Timer() { disarm(); }
  void disarm();

 private:
  friend class TimerWheel;
  // The timer is disarmed when this is called and may be armed again, or destroyed, inside.
  virtual void on_timer() = 0;

  TimerWheel* wheel_ = nullptr;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  int64_t due_tick_ = 0;
  uint16_t slot_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(Nanos now);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms (or re-arms) `timer` for the first tick at or after `when`.
  void arm(Timer& timer, Nanos when);
  // Fires every timer due at `now`.
  void advance(Nanos now);
  // When advance() should next be called; never, if nothing is armed. May be early, never late.
  Deadline next_due() const;
  size_t size() const { return size_; }

 private:
  friend class Timer;
  static constexpr int kLevels = 6;
  static constexpr int kSlotBits = 6;
  static constexpr int kSlots = 1 << kSlotBits;

  void insert(Timer& timer);
  void remove(Timer& timer);
  void cascade(int level);
  int64_t next_tick() const;

  int64_t tick_;  // every timer due up to this tick has fired
  size_t size_ = 0;
  std::array<uint64_t, kLevels> occupied_{};
  std::array<std::array<Timer*, kSlots>, kLevels> slots_{};
};

}  // namespace sluice::net
