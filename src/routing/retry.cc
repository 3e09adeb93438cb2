#include "routing/retry.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <limits>

#include "routing/random.h"

namespace sluice::routing {
namespace {

TargetSet bit(size_t i) {
  return TargetSet{1} << i;
}

TargetSet all_of(std::span<const Target> chain) {
  return chain.size() == kMaxTargets ? ~TargetSet{0} : bit(chain.size()) - 1;
}

bool is_same_target(const Target& a, const Target& b) {
  return a.provider == b.provider && a.model == b.model;
}

// Milliseconds as a person reads them: "120 ms".
std::string millis_of(Nanos wait) {
  return fmt::format("{} ms", wait / kMillisecond);
}

}  // namespace

AttemptPlan::AttemptPlan(const RouteTargets& route, const PlanContext& context, Deadline deadline,
                         uint64_t seed)
    : route_(route), context_(context), deadline_(deadline), random_(seed) {
  start_chain(route.targets.first(route.fallback ? route.targets.size()
                                                 : std::min<size_t>(route.targets.size(), 1)));
}

void AttemptPlan::start_chain(std::span<const Target> chain) {
  chain_ = chain.first(std::min(chain.size(), kMaxTargets));
  tried_ = out_ = sick_way_ = 0;
  current_ = 0;
  ready_at_.clear();
  notes_.forget_targets();
  for (size_t i = 0; i < chain_.size(); ++i) {
    const bool known = std::any_of(history_.begin(), history_.end(), [&](const Target* before) {
      return is_same_target(*before, chain_[i]);
    });
    if (known) tried_ |= bit(i);
  }
  out_ = tried_;
}

std::optional<AttemptPlan::Step> AttemptPlan::first(Nanos now) {
  if (context_.budget != nullptr) context_.budget->count_request(now);
  const Failure none{.outcome = Outcome::Ok};
  std::optional<Step> step = try_move({Turn::First, Health::Admitted, Cost::Free}, none, now);
  if (!step) step = try_move({Turn::First, Health::Anyway, Cost::Free}, none, now);
  return step;
}

std::optional<AttemptPlan::Step> AttemptPlan::failed(const Failure& failure, Nanos now) {
  ticket_.failed(failure, now);
  note_failure(failure, now);
  switch (class_of(failure.outcome).onward) {
    case Onward::Stop:
      return stop(is_about_the_request(failure.outcome) ? "the request itself was refused"
                                                        : name_of(failure.outcome));
    case Onward::OverflowRule:
      return follow_rule(route_.on_context_overflow, failure, now);
    case Onward::PolicyRule:
      return follow_rule(route_.on_content_policy, failure, now);
    case Onward::Elsewhere:
      return go_on(failure, now);
  }
  return std::nullopt;
}

void AttemptPlan::note_failure(const Failure& failure, Nanos now) {
  const Nanos asked = failure.retry_after.value_or(0);
  if (!may_pass(failure) || asked > context_.options.longest_pause) out_ |= bit(current_);
  if (is_sick_way(failure)) sick_way_ |= bit(current_);
  if (ready_at_.empty()) ready_at_.resize(chain_.size(), 0);
  ready_at_[current_] = now + asked;
}

std::optional<AttemptPlan::Step> AttemptPlan::go_on(const Failure& failure, Nanos now) {
  const Cost elsewhere = is_free(failure) ? Cost::Free : Cost::Paid;
  const Move moves[] = {{Turn::First, Health::Admitted, elsewhere},
                        {Turn::Again, Health::Admitted, Cost::Paid},
                        {Turn::First, Health::Anyway, elsewhere},
                        {Turn::Again, Health::Anyway, Cost::Paid}};
  obstacle_ = "no target is left";
  for (const Move& move : moves) {
    if (std::optional<Step> step = try_move(move, failure, now)) return step;
  }
  return stop(obstacle_);
}

// The operator named these targets for this case, so trying them is routing: free, and each once.
std::optional<AttemptPlan::Step> AttemptPlan::follow_rule(std::span<const Target> rule,
                                                          const Failure& failure, Nanos now) {
  if (!route_.fallback) return stop("fallback is off");
  if (rule.empty()) return stop("the route names no target for that");
  if (chain_.data() != rule.data()) {
    for (size_t i = 0; i < chain_.size(); ++i) {
      if ((tried_ & bit(i)) != 0) history_.push_back(&chain_[i]);
    }
    start_chain(rule);
  }
  obstacle_ = "no target for that is left";
  for (const Health health : {Health::Admitted, Health::Anyway}) {
    const Move move{Turn::First, health, Cost::Free};
    if (std::optional<Step> step = try_move(move, failure, now)) return step;
  }
  return stop(obstacle_);
}

std::optional<AttemptPlan::Step> AttemptPlan::try_move(Move move, const Failure& failure,
                                                       Nanos now) {
  const bool again = move.turn == Turn::Again;
  const TargetSet set = again ? tried_ & ~out_ : eligible(all_of(chain_) & ~tried_, now);
  if (set == 0) return std::nullopt;
  if (move.cost == Cost::Paid && spent_ >= context_.options.attempts) {
    obstacle_ = "all attempts are used up";
    return std::nullopt;
  }
  const Candidates candidates = among(set, again ? (current_ + 1) % chain_.size() : 0);
  std::optional<Chosen> chosen = move.health == Health::Admitted
                                     ? first_admitted(candidates, now, notes_)
                                     : first_anyway(candidates, now);
  if (!chosen) return std::nullopt;
  const Nanos pause = again ? pause_before(chosen->target, now) : 0;
  if (deadline_.passed(now + pause)) {
    obstacle_ = "the deadline comes first";
    return std::nullopt;
  }
  if (move.cost == Cost::Paid) {
    if (context_.budget != nullptr && !context_.budget->try_spend(now)) {
      obstacle_ = "the retry budget is used up";
      return std::nullopt;
    }
    ++spent_;
  }
  ticket_ = std::move(chosen->ticket);
  current_ = chosen->target;
  tried_ |= bit(current_);
  ++attempts_;
  if (again) ++rounds_;
  if (attempts_ > 1) {
    notes_.add(fmt::format("{} {} after {}{}", again ? "asked again" : "went on to",
                           name_of_target(current_), name_of(failure.outcome),
                           again ? " and " + millis_of(pause) : std::string()));
  } else if (chosen->kind == Breaker::Admission::Kind::Anyway) {
    notes_.add(
        fmt::format("{} called all the same: nothing better is left", name_of_target(current_)));
  }
  return Step{pause};
}

std::optional<AttemptPlan::Step> AttemptPlan::stop(std::string_view why) {
  notes_.add(std::string("gave up: ").append(why));
  return std::nullopt;
}

// Full jitter (AWS): anywhere between nothing and the exponential ceiling, so that clients do not
// march in step.
Nanos AttemptPlan::pause_before(size_t target, Nanos now) {
  const int doublings = std::min(rounds_, 20);
  const Nanos ceiling =
      std::min(context_.options.backoff_cap, context_.options.backoff_base << doublings);
  return std::max(random_up_to(ceiling, random_), ready_at_[target] - now);
}

TargetSet AttemptPlan::eligible(TargetSet set, Nanos now) {
  if (context_.stands_in_for.empty()) return set;
  for (TargetSet left = set; left != 0; left &= left - 1) {
    const size_t i = static_cast<size_t>(std::countr_zero(left));
    const uint16_t whom = context_.stands_in_for[chain_[i].provider];
    const Target* well = whom == PlanContext::kNobody ? nullptr : well_target_of(whom, now);
    if (well == nullptr) continue;
    set &= ~bit(i);
    const size_t other = static_cast<size_t>(well - chain_.data());
    notes_.skipped(
        i, name_of_target(i),
        fmt::format("it stands in for {} only while the way there is sick", name_of_target(other)));
  }
  return set;
}

const Target* AttemptPlan::well_target_of(uint16_t provider, Nanos now) const {
  const Target* well = nullptr;
  for (size_t i = 0; i < chain_.size(); ++i) {
    if (chain_[i].provider != provider) continue;
    if ((sick_way_ & bit(i)) != 0) return nullptr;
    const Breaker* breaker = among(bit(i), 0).breaker(i);
    if (breaker != nullptr) {
      const Breaker::Status status = breaker->status(now);
      const bool shut =
          status.state == Breaker::State::Open || status.state == Breaker::State::HalfOpen;
      if (shut && status.last && is_sick_way(*status.last)) return nullptr;
    }
    well = &chain_[i];
  }
  return well;
}

Failure AttemptPlan::refusal(Nanos now) const {
  Failure refusal{.outcome = Outcome::UpstreamOverloaded};
  Nanos earliest = std::numeric_limits<Nanos>::max();
  bool known = false;
  for (size_t i = 0; i < chain_.size(); ++i) {
    const Breaker* breaker = among(bit(i), 0).breaker(i);
    if (breaker == nullptr) continue;
    const Breaker::Status status = breaker->status(now);
    if (status.state == Breaker::State::Retired || !status.last) continue;
    earliest = std::min(earliest, std::max(status.until, now));
    if (known && class_of(status.last->outcome).weight <= class_of(refusal.outcome).weight)
      continue;
    refusal.outcome = status.last->outcome;
    refusal.lasting = status.held;
    known = true;
  }
  if (known) refusal.retry_after = earliest - now;
  return refusal;
}

std::string_view AttemptPlan::name_of_target(size_t i) const {
  const Breaker* breaker = among(bit(i), 0).breaker(i);
  return breaker == nullptr ? std::string_view(chain_[i].model) : std::string_view(breaker->name());
}

Candidates AttemptPlan::among(TargetSet set, size_t start) const {
  return {.chain = chain_, .breakers = context_.breakers, .among = set, .start = start};
}

}  // namespace sluice::routing
