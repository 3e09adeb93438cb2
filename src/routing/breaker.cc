#include "routing/breaker.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "routing/random.h"

namespace sluice::routing {
namespace {

constexpr Nanos kNever = std::numeric_limits<Nanos>::max();

std::string words_of(const Failure& failure) {
  if (failure.status != 0) return std::to_string(failure.status);
  return std::string(name_of(failure.outcome));
}

// "4 s", rounded up, so that a pause is never told to be over before it is.
std::string seconds_of(Nanos wait) {
  return fmt::format("{} s", (std::max<Nanos>(wait, 0) + kSecond - 1) / kSecond);
}

std::string cause_of_hold(const Failure& failure) {
  if (failure.outcome == Outcome::UpstreamRateLimit) return "its quota is used up";
  if (failure.outcome == Outcome::UpstreamAuth) return "its key was refused";
  return "it cannot work until somebody has mended it";
}

}  // namespace

Breaker::Breaker(std::string name, const BreakerOptions& options, uint64_t seed)
    : name_(std::move(name)), options_(options), random_(seed) {}

Breaker::Ticket::Ticket(Ticket&& other) noexcept
    : breaker_(other.breaker_),
      epoch_(other.epoch_),
      kind_(std::exchange(other.kind_, Kind::None)) {}

Breaker::Ticket& Breaker::Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    abandon();
    breaker_ = other.breaker_;
    epoch_ = other.epoch_;
    kind_ = std::exchange(other.kind_, Kind::None);
  }
  return *this;
}

void Breaker::Ticket::succeeded(Nanos now) {
  if (kind_ == Kind::Go) {
    if (breaker_->epoch_.load(std::memory_order_relaxed) == epoch_) breaker_->on_good_call(now);
  } else if (kind_ != Kind::None) {
    breaker_->on_good_probe(epoch_, kind_, now);
  }
  kind_ = Kind::None;
}

void Breaker::Ticket::failed(const Failure& failure, Nanos now) {
  if (breaker_ == nullptr) return;
  switch (class_of(failure.outcome).mark) {
    case HealthMark::Nothing:
      return abandon();
    case HealthMark::Well:
      return succeeded(now);
    case HealthMark::Failed:
    case HealthMark::Broken:
      breaker_->on_failure(epoch_, kind_, failure, now);
      kind_ = Kind::None;
  }
}

void Breaker::Ticket::abandon() {
  if (kind_ == Kind::Probe || kind_ == Kind::Anyway) breaker_->give_back(kind_);
  kind_ = Kind::None;
}

Breaker::Admission Breaker::admit(Nanos now) {
  const uint32_t seen = epoch_.load(std::memory_order_acquire);
  if (is_closed(seen)) return {Admission::Kind::Go, Ticket(*this, seen, Ticket::Kind::Go), 0};
  const std::lock_guard guard(lock_);
  const uint32_t epoch = epoch_.load(std::memory_order_relaxed);
  if (is_closed(epoch)) return {Admission::Kind::Go, Ticket(*this, epoch, Ticket::Kind::Go), 0};
  if (now < until_) return {Admission::Kind::Refused, Ticket(), until_};
  if (probes_ >= options_.probes) return {Admission::Kind::Refused, Ticket(), now};
  ++probes_;
  return {Admission::Kind::Probe, Ticket(*this, epoch, Ticket::Kind::Probe), 0};
}

Breaker::Admission Breaker::admit_anyway(Nanos now) {
  Admission admission = admit(now);
  if (admission) return admission;
  const std::lock_guard guard(lock_);
  const uint32_t epoch = epoch_.load(std::memory_order_relaxed);
  if (is_closed(epoch)) return {Admission::Kind::Go, Ticket(*this, epoch, Ticket::Kind::Go), 0};
  const bool too_soon = held_ && (anyways_ > 0 || now < next_anyway_);
  if (retired_ || too_soon || anyways_ >= options_.anyway_limit) return admission;
  if (held_) next_anyway_ = now + kHeldSpacing;
  ++anyways_;
  return {Admission::Kind::Anyway, Ticket(*this, epoch, Ticket::Kind::Anyway), 0};
}

void Breaker::cool_until(Nanos end, Hint hint, Nanos now) {
  const std::lock_guard guard(lock_);
  if (!retired_) take_hint(end, hint, now);
}

void Breaker::retire() {
  const std::lock_guard guard(lock_);
  if (!retired_) open(kNever, true, "the configuration names it no more");
  retired_ = true;
}

void Breaker::set_options(const BreakerOptions& options) {
  const std::lock_guard guard(lock_);
  options_ = options;
}

void Breaker::on_good_call(Nanos now) {
  successes_.add(now);
  if (in_a_row_.load(std::memory_order_relaxed) != 0) in_a_row_.store(0, std::memory_order_relaxed);
}

void Breaker::on_good_probe(uint32_t epoch, Ticket::Kind kind, Nanos now) {
  const std::lock_guard guard(lock_);
  release(kind);
  if (epoch != epoch_.load(std::memory_order_relaxed) || retired_) return;
  next_anyway_ = now;
  if (++good_probes_ >= options_.probes) close(now);
}

void Breaker::on_failure(uint32_t epoch, Ticket::Kind kind, const Failure& failure, Nanos now) {
  const std::lock_guard guard(lock_);
  release(kind);
  if (retired_) return;
  // Calls that began before the last change have nothing new to say about the state since, but what
  // the upstream asked for holds.
  if (epoch == epoch_.load(std::memory_order_relaxed)) judge(kind, failure, now);
  const Nanos asked = failure.retry_after.value_or(0);
  if (asked > 0) take_hint(now + asked, failure.lasting ? Hint::Quota : Hint::Pause, now);
}

void Breaker::give_back(Ticket::Kind kind) {
  const std::lock_guard guard(lock_);
  release(kind);
}

void Breaker::release(Ticket::Kind kind) {
  if (kind == Ticket::Kind::Probe) --probes_;
  if (kind == Ticket::Kind::Anyway) --anyways_;
}

void Breaker::judge(Ticket::Kind kind, const Failure& failure, Nanos now) {
  last_failure_ = failure;
  const bool closed = is_closed(epoch_.load(std::memory_order_relaxed));
  const bool no_news = !closed && held_ && kind != Ticket::Kind::Probe;
  const bool broken = failure.lasting || class_of(failure.outcome).mark == HealthMark::Broken;
  if (broken && !no_news) {
    hold(failure, now);
  } else if (closed) {
    failures_.add(now);
    in_a_row_.fetch_add(1, std::memory_order_relaxed);
    std::string reason = reason_to_open(now);
    if (reason.empty()) return;
    open(now + grown_pause(options_.pause, options_.longest_pause, now), false, std::move(reason));
  } else if (kind == Ticket::Kind::Probe) {
    open(now + grown_pause(options_.pause, options_.longest_pause, now), false, "a probe failed");
  } else {
    good_probes_ = 0;
  }
}

// Where the upstream says when the quota is back, that is the end; else a guess that grows.
void Breaker::hold(const Failure& failure, Nanos now) {
  const bool told = failure.retry_after.value_or(0) > 0;
  const Nanos pause = told ? std::min(*failure.retry_after, options_.longest_hold)
                           : grown_pause(options_.hold, options_.longest_hold, now);
  open(now + pause, true, cause_of_hold(failure));
}

// Empty: stay closed. The short window sees a change that the long one, full of good old calls,
// would see too late (G9); the long one sees what comes too seldom for the short one.
std::string Breaker::reason_to_open(Nanos now) {
  const int in_a_row = in_a_row_.load(std::memory_order_relaxed);
  if (in_a_row >= options_.failures_in_a_row) return fmt::format("{} failures in a row", in_a_row);
  for (const int64_t seconds : {kShortWindow, kWindow}) {
    const int64_t failed = failures_.sum(seconds, now);
    const int64_t all = failed + successes_.sum(seconds, now);
    if (all < options_.min_requests || failed * 100 < all * options_.failure_percent) continue;
    return fmt::format("{} of {} calls failed within {} s", failed, all, seconds);
  }
  return {};
}

void Breaker::take_hint(Nanos end, Hint hint, Nanos now) {
  const bool quota = hint == Hint::Quota;
  end = std::min(end, now + (quota ? options_.longest_hold : options_.longest_pause));
  if (end <= now) return;
  if (is_closed(epoch_.load(std::memory_order_relaxed))) {
    open(end, quota, quota ? "its quota is used up" : "it asked for a pause");
  } else if (end > until_) {
    until_ = end;
    held_ = held_ || quota;
  }
}

// The first pause of a bad time is `base`; a bad time is over when it was closed for as long as the
// window sees, and as the last pause was.
Nanos Breaker::grown_pause(Nanos base, Nanos longest, Nanos now) {
  const bool closed = is_closed(epoch_.load(std::memory_order_relaxed));
  if (closed && now - closed_at_ >= std::max(kWindow * kSecond, last_pause_)) level_ = 0;
  Nanos pause = std::min(base, longest);
  for (int i = 0; i < level_ && pause < longest; ++i) pause = std::min(2 * pause, longest);
  ++level_;
  last_pause_ = pause - random_up_to(pause / 4, random_);
  return last_pause_;
}

void Breaker::open(Nanos end, bool held, std::string cause) {
  const uint32_t epoch = epoch_.load(std::memory_order_relaxed);
  until_ = end;
  held_ = held;
  cause_ = std::move(cause);
  good_probes_ = 0;
  next_anyway_ = 0;
  epoch_.store(is_closed(epoch) ? epoch + 1 : epoch + 2, std::memory_order_release);
}

void Breaker::close(Nanos now) {
  closed_at_ = now;
  held_ = false;
  successes_.clear();
  failures_.clear();
  in_a_row_.store(0, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
}

Nanos Breaker::pause_end() const {
  const std::lock_guard guard(lock_);
  return is_closed(epoch_.load(std::memory_order_relaxed)) ? 0 : until_;
}

Breaker::Status Breaker::status(Nanos now) const {
  const std::lock_guard guard(lock_);
  Status status;
  if (retired_) {
    status.state = State::Retired;
  } else if (!is_closed(epoch_.load(std::memory_order_relaxed))) {
    status.state = now < until_ ? State::Open : State::HalfOpen;
  }
  status.until = until_;
  status.last = last_failure_;
  status.held = held_;
  status.text = words(status.state, now);
  return status;
}

std::string Breaker::words(State state, Nanos now) const {
  if (state == State::Closed) return "closed";
  if (state == State::Retired) return "retired: " + cause_;
  std::string text = state == State::Open ? "open for another " + seconds_of(until_ - now)
                                          : fmt::format("half-open, {} of {} probes went well",
                                                        good_probes_, options_.probes);
  text.append(": ").append(cause_);
  if (last_failure_) text.append(", last: ").append(words_of(*last_failure_));
  return text;
}

}  // namespace sluice::routing
