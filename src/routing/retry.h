// Which target to try next, and when. Pure: the caller reports how an attempt failed and gets the
// next step.
//
// First every target once, in order and without a pause: going elsewhere is routing, not retrying.
// Then, while attempts are left, again those whose failure may pass, with exponential backoff and
// full jitter, or the pause the upstream itself asked for (acceptance FB-1, FB-6, RET-12).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/outcome.h"
#include "base/time.h"

namespace sluice::routing {

struct RetryOptions {
  int attempts = 3;  // of one exchange in all; every target gets one even if there are more targets
  Nanos backoff_base = 100 * kMillisecond;
  Nanos backoff_cap = 5 * kSecond;
  // The longest pause an upstream may ask for; one that asks for more is not tried again.
  Nanos longest_pause = 10 * kSecond;
};

// How one attempt failed.
struct Failure {
  Outcome outcome;
  std::optional<Nanos> retry_after;  // what the upstream asked for
  bool lasting = false;  // will not pass by itself within this exchange: quota used up, key refused
};

// Whether another target may answer where one failed so: not for what is the request's own fault or
// the client's.
bool may_go_elsewhere(Outcome outcome);
// Whether the same target may answer when asked again.
bool may_pass(const Failure& failure);

class AttemptPlan {
 public:
  struct Step {
    size_t target;
    Nanos pause;
  };

  // `seed` drives the jitter. The options must outlive the plan.
  AttemptPlan(size_t targets, const RetryOptions& options, uint64_t seed);

  // The first attempt is always target 0 at once. Call failed() after each attempt that failed.
  size_t current() const { return current_; }
  int attempts() const { return attempts_; }
  // The next step, or nothing: give the client the error.
  std::optional<Step> failed(const Failure& failure);

 private:
  Nanos pause_before_retry(const Failure& failure);

  const RetryOptions& options_;
  uint64_t random_;
  size_t targets_;
  size_t current_ = 0;
  int attempts_ = 1;
  int rounds_ = 0;
  struct Seen {
    Failure last;
    bool out = false;  // not worth asking again
  };
  std::vector<Seen> seen_;  // by target; empty until the first failure
};

}  // namespace sluice::routing
