// Which target to try next, and when: the plan of one exchange. The caller makes the calls, reports
// how they went and gets the next step. No I/O; health and budget are shared, time is passed in.
//
// The order of choice (FB-1, RET-12, G9):
//   1. a target not tried yet that its breaker admits, in the route's order, without a pause;
//   2. a tried one whose failure may pass and that is still admitted, after a pause;
//   3. a target not tried yet that is not admitted, as nothing better is left, without a pause;
//   4. a tried one that is not admitted, after a pause.
// Steps 2 and 4, and 1 and 3 after a failure that may have reached a provider, draw on the retry
// budget and on `RetryOptions::attempts`; going elsewhere when nothing was sent is free, so that
// every target gets its turn. Pauses: exponential backoff with full jitter, or what the upstream
// asked for if that is longer (RET-1).
//
// Rules of their own: what is the request's fault ends the plan (RET-2), except that a prompt that
// does not fit and a prompt that a policy forbids go on with the targets that the route names for
// that, each at most once and never one that was tried (RET-3, RET-4). A target whose provider
// stands in for another one is passed over unless the way to that one is sick: it has just failed
// so, or its breaker is open because of that.
//
// The wiring, as gateway/dispatch does it:
//
//   const RouteTargets route{...}; const PlanContext context{...};
//   AttemptPlan plan(route, context, exchange deadline, ids.random());
//   auto step = plan.first(now);           // nothing: answer with plan.refusal(now)
//   while (step) {
//     sleep step->pause; call plan.current();
//     when content begins:   plan.succeeded(now);
//     when it failed unseen: keep the failure if is_more_useful() than the kept one (RET-9), then
//                            step = plan.failed(failure, now);
//     when it broke later:   plan.broke(failure, now), and the exchange ends.
//   }
//   no step: answer with the failure that was kept; plan.notes() goes to the ledger's reason.
//
// A plan that is destroyed gives its probe back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "base/time.h"
#include "routing/failure_class.h"
#include "routing/health.h"
#include "routing/retry_budget.h"
#include "routing/router.h"

namespace sluice::routing {

struct RetryOptions {
  int attempts = 3;  // the first, and those that are not free
  Nanos backoff_base = 100 * kMillisecond;
  Nanos backoff_cap = 5 * kSecond;
  // The longest pause an upstream may ask for; one that asks for more is not tried again.
  Nanos longest_pause = 10 * kSecond;
};

// What may be tried for one exchange. At most kMaxTargets of each list are looked at.
struct RouteTargets {
  std::span<const Target> targets;
  std::span<const Target> on_context_overflow = {};
  std::span<const Target> on_content_policy = {};
  bool fallback = true;  // false: no target but the first (FB-7)
};

// What the plans of one snapshot share.
struct PlanContext {
  const RetryOptions& options;
  std::span<const std::shared_ptr<Breaker>> breakers = {};  // by Target::slot; empty: none are kept
  // By Target::provider: the provider it stands in for, or kNobody. Empty: none does.
  std::span<const uint16_t> stands_in_for = {};
  RetryBudget* budget = nullptr;  // null: without limit
  static constexpr uint16_t kNobody = UINT16_MAX;
};

class AttemptPlan {
 public:
  struct Step {
    Nanos pause;  // before the attempt of current()
  };

  // All that it is given must outlive it.
  AttemptPlan(const RouteTargets& route, const PlanContext& context, Deadline deadline,
              uint64_t seed);

  // Call once, before the first attempt. Nothing: no target may be called now, see refusal().
  std::optional<Step> first(Nanos now);
  // After an attempt that failed before the client saw content: the next step, or nothing: give the
  // client the error.
  std::optional<Step> failed(const Failure& failure, Nanos now);
  // The current target answers with content.
  void succeeded(Nanos now) { ticket_.succeeded(now); }
  // The current attempt failed when it was too late for another.
  void broke(const Failure& failure, Nanos now) { ticket_.failed(failure, now); }

  const Target& current() const { return chain_[current_]; }
  int attempts() const { return attempts_; }
  // Why first() had nothing: the heaviest of the failures that keep the targets out, and how long
  // until one of them is worth a call.
  Failure refusal(Nanos now) const;
  // What was passed over, and why each further step was taken or not. Empty where the first target
  // answered.
  const std::string& notes() const { return notes_.text(); }

 private:
  enum class Cost : uint8_t { Free, Paid };
  enum class Health : uint8_t { Admitted, Anyway };
  enum class Turn : uint8_t { First, Again };
  struct Move {
    Turn turn;
    Health health;
    Cost cost;
  };

  void start_chain(std::span<const Target> chain);
  void note_failure(const Failure& failure, Nanos now);
  std::optional<Step> go_on(const Failure& failure, Nanos now);
  std::optional<Step> follow_rule(std::span<const Target> rule, const Failure& failure, Nanos now);
  std::optional<Step> try_move(Move move, const Failure& failure, Nanos now);
  std::optional<Step> stop(std::string_view why);
  Nanos pause_before(size_t target, Nanos now);
  TargetSet eligible(TargetSet set, Nanos now);
  // A target of `provider` in the chain that is not known to be sick on its way; null: the way is
  // sick, or the provider is not in the chain.
  const Target* well_target_of(uint16_t provider, Nanos now) const;
  std::string_view name_of_target(size_t i) const;
  Candidates among(TargetSet set, size_t start) const;

  const RouteTargets& route_;
  const PlanContext& context_;
  Deadline deadline_;
  uint64_t random_;
  std::span<const Target> chain_;
  size_t current_ = 0;
  int attempts_ = 0;
  int spent_ = 1;   // the first attempt, and those that drew on the budget
  int rounds_ = 0;  // attempts of a target that was tried before
  TargetSet tried_ = 0;
  TargetSet out_ = 0;          // not worth asking again
  TargetSet sick_way_ = 0;     // whose way failed in this exchange
  std::string_view obstacle_;  // why the last move was not made
  Breaker::Ticket ticket_;
  SkipNotes notes_;
  // Empty until the first failure.
  std::vector<Nanos> ready_at_;         // by target: the upstream wants no call before
  std::vector<const Target*> history_;  // tried in the chains before this one
};

}  // namespace sluice::routing
