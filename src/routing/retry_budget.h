// How much may be retried by the whole process, so that a failing upstream is not buried under our
// second tries (RET-6, G8): in the 10 s that end now, at most the larger of a small reserve and a
// share of the requests that came in them.
//
// What draws on it: every attempt but the first, whether of the same target or of another, after a
// failure that may have reached a provider; a 429 or 503 too, though it did no work there, since
// only the limit on those calls keeps the load of a failing provider at 1.10. What is free: going
// elsewhere when nothing was sent (class N), or where the operator's rule says so (context
// overflow, content policy): that is routing.
//
// Thread-safe: counting a request is one atomic addition, spending takes a lock for a moment.
#pragma once

#include <cstdint>
#include <mutex>

#include "base/time.h"
#include "routing/second_counts.h"

namespace sluice::routing {

struct RetryBudgetOptions {
  int percent = 10;  // of the requests
  int reserve = 20;  // retries that are allowed however few requests there are
};

class RetryBudget {
 public:
  explicit RetryBudget(const RetryBudgetOptions& options) : options_(options) {}
  RetryBudget(const RetryBudget&) = delete;
  RetryBudget& operator=(const RetryBudget&) = delete;

  // For each request, before its first attempt.
  void count_request(Nanos now);
  // Before each attempt that is not free; false: it must not be made.
  bool try_spend(Nanos now);

  struct Usage {
    int64_t requests = 0;
    int64_t retries = 0;
    int64_t allowed = 0;
  };
  Usage usage(Nanos now) const;
  void set_options(const RetryBudgetOptions& options);

 private:
  static constexpr int64_t kSeconds = 10;
  Usage usage_locked(Nanos now) const;

  SecondCounts<kSeconds> requests_;
  mutable std::mutex lock_;
  RetryBudgetOptions options_;
  // The 10 s that end now begin somewhere in the eleventh second: its retries count, its requests
  // do not.
  SecondCounts<kSeconds + 1> retries_;
};

}  // namespace sluice::routing
