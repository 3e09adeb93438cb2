#include "routing/retry_budget.h"

#include <algorithm>

namespace sluice::routing {

void RetryBudget::count_request(Nanos now) {
  requests_.add(now);
}

bool RetryBudget::try_spend(Nanos now) {
  const std::lock_guard guard(lock_);
  const Usage usage = usage_locked(now);
  if (usage.retries >= usage.allowed) return false;
  retries_.add(now);
  return true;
}

RetryBudget::Usage RetryBudget::usage(Nanos now) const {
  const std::lock_guard guard(lock_);
  return usage_locked(now);
}

void RetryBudget::set_options(const RetryBudgetOptions& options) {
  const std::lock_guard guard(lock_);
  options_ = options;
}

RetryBudget::Usage RetryBudget::usage_locked(Nanos now) const {
  const int64_t requests = requests_.sum(kSeconds, now);
  return {.requests = requests,
          .retries = retries_.sum(kSeconds + 1, now),
          .allowed = std::max<int64_t>(options_.reserve, requests * options_.percent / 100)};
}

}  // namespace sluice::routing
