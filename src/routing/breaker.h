// The circuit breaker of one target (provider, model and key): whether it may be called, judged by
// how its last calls went.
//
//   closed     all calls go. Opens after so many failures in a row; or when the share of failures
//              over the last 2 s, or the last 10 s, is too large; or at once, when the upstream
//              itself asked for a pause or cannot work until a person has mended something.
//   open       no call goes until a pause is over. Each opening soon after the last doubles it.
//   half-open  a few probes at a time. So many successes in a row close it, one failure opens it
//              again.
//
// A pause is advice about which target to prefer, so admit_anyway() lets a call through where no
// other target is left (RET-7, G9). A hold (quota used up, key refused) is certain knowledge: then
// it lets through one call a second at most (RET-14).
//
// Thread-safe, shared by all loops: a closed breaker costs one atomic load to admit and one atomic
// addition for a success; all else takes a lock for a moment. Times are passed in.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/outcome.h"
#include "base/time.h"
#include "routing/failure_class.h"
#include "routing/second_counts.h"

namespace sluice::routing {

struct BreakerOptions {
  int failures_in_a_row = 5;
  int failure_percent = 50;  // of the calls in the window
  int min_requests = 10;     // in the window, before their share of failures means anything
  Nanos pause = kSecond;     // the first one; doubles, up to:
  Nanos longest_pause = 60 * kSecond;
  // What only a person can mend is tried again after this; doubles, up to `longest_hold`, which
  // also bounds how long a quota is believed to be used up.
  Nanos hold = 60 * kSecond;
  Nanos longest_hold = 3600 * kSecond;
  int probes = 3;         // at a time, and successes in a row that close it
  int anyway_limit = 32;  // calls at a time while it is open and no other target is left
};

class Breaker {
 public:
  // `name`: "provider/model" or "provider/model#key"; `seed` drives the jitter of pauses.
  Breaker(std::string name, const BreakerOptions& options, uint64_t seed);
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  // The right to make one call. Destroyed without a verdict it is given back as abandoned. Moves;
  // the breaker must outlive it.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { abandon(); }

    // The target answers: to be called when content begins, so that a long stream is no long probe.
    void succeeded(Nanos now);
    // Also after succeeded(), for a stream that broke. Decides by the outcome's class what it says
    // about the target; a client that left says nothing.
    void failed(const Failure& failure, Nanos now);
    void abandon();

   private:
    friend class Breaker;
    enum class Kind : uint8_t { None, Go, Probe, Anyway };
    Ticket(Breaker& breaker, uint32_t epoch, Kind kind)
        : breaker_(&breaker), epoch_(epoch), kind_(kind) {}
    Breaker* breaker_ = nullptr;
    uint32_t epoch_ = 0;
    Kind kind_ = Kind::None;  // None: its place has been given back
  };

  struct Admission {
    enum class Kind : uint8_t { Go, Probe, Anyway, Refused };
    Kind kind = Kind::Refused;
    Ticket ticket;    // empty if refused
    Nanos until = 0;  // if refused: when it is worth another look
    explicit operator bool() const { return kind != Kind::Refused; }
  };
  Admission admit(Nanos now);
  // For when no target is admitted. Refused while enough calls of this kind are on their way, or a
  // hold lasts; always, once it is retired.
  Admission admit_anyway(Nanos now);

  enum class Hint : uint8_t { Pause, Quota };
  // The upstream said when it is worth to come back. A longer pause holds, within the longest
  // allowed for its kind (RET-8, RET-14).
  void cool_until(Nanos end, Hint hint, Nanos now);

  // The target was removed: nothing is admitted any more, not even for exchanges that began before
  // (RET-12).
  void retire();
  void set_options(const BreakerOptions& options);

  enum class State : uint8_t { Closed, Open, HalfOpen, Retired };
  struct Status {
    State state = State::Closed;
    Nanos until = 0;              // when the pause ends, if open
    std::optional<Failure> last;  // the last failure that counted
    bool held = false;
    std::string text;  // for a person: "open for another 4 s: 5 failures in a row, last: 503"
  };
  Status status(Nanos now) const;
  // When it is worth another look; `now` or earlier if it is not open.
  Nanos pause_end() const;
  const std::string& name() const { return name_; }

 private:
  static constexpr int64_t kWindow = 10;  // seconds
  static constexpr int64_t kShortWindow = 2;
  static constexpr Nanos kHeldSpacing = kSecond;

  static bool is_closed(uint32_t epoch) { return (epoch & 1) == 0; }
  void on_good_call(Nanos now);
  void on_good_probe(uint32_t epoch, Ticket::Kind kind, Nanos now);
  void on_failure(uint32_t epoch, Ticket::Kind kind, const Failure& failure, Nanos now);
  void give_back(Ticket::Kind kind);
  // All below: lock_ is held.
  void release(Ticket::Kind kind);
  void judge(Ticket::Kind kind, const Failure& failure, Nanos now);
  void hold(const Failure& failure, Nanos now);
  std::string reason_to_open(Nanos now);
  void take_hint(Nanos end, Hint hint, Nanos now);
  Nanos grown_pause(Nanos base, Nanos longest, Nanos now);
  void open(Nanos end, bool held, std::string cause);
  void close(Nanos now);
  std::string words(State state, Nanos now) const;

  const std::string name_;
  // Even: closed. Every opening, closing and reopening moves it on, and so makes the verdicts of
  // older tickets void.
  std::atomic<uint32_t> epoch_{0};
  std::atomic<int> in_a_row_{0};
  SecondCounts<kWindow> successes_;

  mutable std::mutex lock_;
  BreakerOptions options_;
  uint64_t random_;
  SecondCounts<kWindow> failures_;
  std::optional<Failure> last_failure_;
  std::string cause_;
  Nanos until_ = 0;
  Nanos closed_at_ = 0;
  Nanos last_pause_ = 0;
  Nanos next_anyway_ = 0;  // while held
  int level_ = 0;          // openings, each soon after the one before
  int probes_ = 0;
  int anyways_ = 0;
  int good_probes_ = 0;
  bool held_ = false;
  bool retired_ = false;
};

}  // namespace sluice::routing
