#include "routing/retry.h"

#include <algorithm>

namespace sluice::routing {
namespace {

// splitmix64: enough for jitter.
uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

bool may_go_elsewhere(Outcome outcome) {
  return is_upstream_failure(outcome) && !is_about_the_request(outcome) &&
         outcome != Outcome::TotalTimeout;
}

bool may_pass(const Failure& failure) {
  return may_go_elsewhere(failure.outcome) && !failure.lasting &&
         failure.outcome != Outcome::UpstreamAuth;
}

AttemptPlan::AttemptPlan(size_t targets, const RetryOptions& options, uint64_t seed)
    : options_(options), random_(seed), targets_(targets) {}

std::optional<AttemptPlan::Step> AttemptPlan::failed(const Failure& failure) {
  if (!may_go_elsewhere(failure.outcome)) return std::nullopt;
  if (seen_.empty()) seen_.resize(targets_, Seen{{Outcome::Ok, std::nullopt, false}});
  const bool asks_too_much = failure.retry_after.value_or(0) > options_.longest_pause;
  seen_[current_] = {failure, !may_pass(failure) || asks_too_much};

  if (rounds_ == 0 && current_ + 1 < targets_) {
    ++current_;
    ++attempts_;
    return Step{current_, 0};
  }
  if (attempts_ >= options_.attempts) return std::nullopt;
  // Another round: the next target in the ring that may have recovered.
  ++rounds_;
  for (size_t i = 1; i <= targets_; ++i) {
    const size_t candidate = (current_ + i) % targets_;
    if (seen_[candidate].out) continue;
    current_ = candidate;
    ++attempts_;
    return Step{candidate, pause_before_retry(seen_[candidate].last)};
  }
  return std::nullopt;
}

// Full jitter (AWS): anywhere between nothing and the exponential ceiling, so that clients do not
// march in step.
Nanos AttemptPlan::pause_before_retry(const Failure& failure) {
  const int doublings = std::min(rounds_ - 1, 20);
  const Nanos ceiling = std::min(options_.backoff_cap, options_.backoff_base << doublings);
  const Nanos jittered =
      ceiling <= 0 ? 0
                   : static_cast<Nanos>(next_random(random_) % static_cast<uint64_t>(ceiling + 1));
  return std::max(jittered, failure.retry_after.value_or(0));
}

}  // namespace sluice::routing
