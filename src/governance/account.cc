#include "governance/account.h"

#include <algorithm>
#include <limits>

namespace sluice::governance {
namespace {

constexpr std::array<int32_t, 3> kMarks = {500, 800, 1000};

// The share in thousandths, of amounts that may be near the ends of their type.
int64_t permille(NanoDollars used, NanoDollars limit) {
  if (limit <= 0) return used > 0 || limit == 0 ? 1000 : 0;
  return static_cast<int64_t>(static_cast<__int128>(used) * 1000 / limit);
}

Step step_at(const BudgetRule& rule, int64_t used_permille) {
  Step reached = Step::None;
  for (const LadderStep& each : rule.ladder) {
    if (used_permille >= each.at_permille) reached = std::max(reached, each.step);
  }
  return reached;
}

}  // namespace

std::string_view name_of(LimitKind kind) {
  constexpr std::string_view kNames[] = {"requests", "tokens", "parallel", "budget"};
  return kNames[static_cast<size_t>(kind)];
}

NanoDollars limit_of(const BudgetRule& rule, int64_t wall_micros) {
  const bool more = rule.increase && wall_micros < rule.increase->until_micros;
  return rule.amount + (more ? rule.increase->amount : 0);
}

int64_t BudgetState::used_permille() const {
  return permille(spent + reserved, limit);
}

void Account::seed(std::span<const QuarterSpend> quarters, NanoDollars total) {
  const std::lock_guard lock(mutex_);
  spend_.seed(quarters, total);
  for (Budget& budget : budgets_) budget.spent = spend_.within(budget.window);
}

void Account::use(const Policy& policy, int64_t wall_micros) {
  const std::lock_guard lock(mutex_);
  limits_ = policy.limits;
  std::vector<Budget> next;
  next.reserve(policy.budgets.size());
  for (const BudgetRule& rule : policy.budgets) {
    const Result<TimeZone> zone = TimeZone::find(rule.time_zone);
    Budget budget{.rule = rule, .zone = zone ? *zone : TimeZone::utc(), .window = {}};
    budget.window = budget.zone.window(rule.period, wall_micros);
    budget.spent = spend_.within(budget.window);
    // A mark is told once, whatever else of the policy changes.
    for (const Budget& before : budgets_) {
      const bool same = before.rule.name == rule.name && before.window == budget.window &&
                        before.rule.amount == rule.amount;
      if (same) budget.marks = before.marks;
      if (before.rule.name == rule.name && before.window == budget.window) {
        budget.ceiling = before.ceiling;
        budget.ceiling.hope();
      }
    }
    next.push_back(std::move(budget));
  }
  budgets_ = std::move(next);
  parallel_.hope();
  requests_.batch.hope();
  tokens_.batch.hope();
  demands_.store(demands_now(), std::memory_order_relaxed);
}

// A new period begins with nothing spent but what has ended in it already.
void Account::turn(Budget& budget, int64_t wall_micros) const {
  if (wall_micros < budget.window.until) return;
  budget.window = budget.zone.window(budget.rule.period, wall_micros);
  budget.spent = spend_.within(budget.window);
  budget.marks = 0;
  budget.ceiling.begin(peers_ != nullptr && !peers_->up());
}

BudgetState Account::state_of(const Budget& budget, int64_t wall_micros) const {
  BudgetState state{.name = budget.rule.name,
                    .level = level_,
                    .subject = subject_,
                    .period = budget.rule.period,
                    .limit = limit_of(budget.rule, wall_micros),
                    .spent = budget.spent + budget.ceiling.others_spent(),
                    .reserved = reserved_,
                    .resets_micros = budget.window.until,
                    .hard = budget.rule.hard,
                    .cheaper = budget.rule.cheaper,
                    .output_limit = budget.rule.output_limit};
  state.step = step_at(budget.rule, state.used_permille());
  return state;
}

Refusal Account::refusal(LimitKind kind) const {
  Refusal refusal;
  refusal.kind = kind;
  refusal.level = level_;
  refusal.subject = subject_;
  return refusal;
}

std::optional<Refusal> Account::over_budget(const Ask& ask, Moment now,
                                            std::vector<Refusal>* would_refuse) {
  for (Budget& budget : budgets_) {
    turn(budget, now.wall_micros);
    if (!budget.rule.hard) continue;
    const NanoDollars limit = limit_of(budget.rule, now.wall_micros);
    const NanoDollars own = budget.spent + reserved_;
    // What costs nothing passes a budget that is spent to the last: it cannot overrun it.
    Room room = own > limit - ask.cost ? Room::None : Room::Enough;
    if (peers_ != nullptr) room = budget.ceiling.room(own, ask.cost, limit, now.monotonic, *peers_);
    const NanoDollars used = own + budget.ceiling.others_spent();
    const Step step =
        room != Room::Enough ? Step::Block : step_at(budget.rule, permille(used, limit));
    // There is no cache yet, so nothing is in it.
    if (step < Step::CacheOnly) continue;
    Refusal refused = refusal(LimitKind::Budget);
    refused.budget = budget.rule.name;
    refused.period = budget.rule.period;
    refused.step = step;
    refused.limit = limit;
    refused.used = own + budget.ceiling.others();
    refused.resets_micros = budget.window.until;
    refused.shadow = budget.rule.shadow;
    refused.ask_others = room == Room::AskOthers;
    if (!budget.rule.shadow || refused.ask_others) return refused;
    if (would_refuse != nullptr) would_refuse->push_back(std::move(refused));
  }
  return std::nullopt;
}

std::optional<Refusal> Account::over_parallel(Moment now) const {
  if (!limits_.parallel) return std::nullopt;
  Room room = in_flight_ >= *limits_.parallel ? Room::None : Room::Enough;
  if (peers_ != nullptr)
    room = parallel_.room(in_flight_, 1, *limits_.parallel, now.monotonic, *peers_);
  if (room == Room::Enough) return std::nullopt;
  Refusal refused = refusal(LimitKind::Parallel);
  refused.limit = *limits_.parallel;
  refused.used = in_flight_ + parallel_.others();
  refused.retry_seconds = 1;
  refused.ask_others = room == Room::AskOthers;
  return refused;
}

std::optional<Refusal> Account::over_rate(Rate& rate, int64_t amount, Moment now) {
  const std::optional<int64_t> limit = limits_.*rate.limit;
  if (!limit) return std::nullopt;
  if (peers_ != nullptr && amount <= *limit && peers_->in_touch(now.monotonic)) {
    const Room room = rate.batch.room(amount, now.monotonic);
    if (room == Room::Enough) return std::nullopt;
    Refusal refused = refusal(rate.kind);
    refused.limit = *limit;
    refused.used = rate.batch.used(now.monotonic);
    refused.retry_seconds = rate.batch.wait(now.monotonic);
    refused.ask_others = room == Room::AskOthers;
    return refused;
  }
  // Alone, or out of touch with the others: then each keeps to its share.
  const int64_t share =
      peers_ == nullptr ? *limit : std::max<int64_t>(*limit / peers_->instances(), 1);
  const std::optional<int64_t> wait = rate.minute.wait(now.second(), amount, share);
  if (wait == 0) return std::nullopt;
  Refusal refused = refusal(rate.kind);
  refused.limit = *limit;
  refused.used = rate.minute.used(now.second());
  refused.retry_seconds = wait;
  return refused;
}

// The first of the limits per minute, or of parallel requests, that has no room.
std::optional<Refusal> Account::over_limits(const Ask& ask, Moment now) {
  if (std::optional<Refusal> refused = over_parallel(now)) return refused;
  if (std::optional<Refusal> refused = over_rate(requests_, 1, now)) return refused;
  return over_rate(tokens_, ask.tokens, now);
}

std::optional<Refusal> Account::take(const Ask& ask, Moment now,
                                     std::vector<Refusal>* would_refuse) {
  const std::lock_guard lock(mutex_);
  if (peers_ != nullptr) enroll();
  std::optional<Refusal> refused = over_limits(ask, now);
  if (refused && limits_.shadow && !refused->ask_others) {
    refused->shadow = true;
    if (would_refuse != nullptr) would_refuse->push_back(*std::move(refused));
    refused.reset();
  }
  if (!refused) refused = over_budget(ask, now, would_refuse);
  if (refused) return refused;
  reserved_ += ask.cost;
  ++in_flight_;
  // Also without a limit: there may be one when the request settles.
  requests_.minute.add(now.second(), 1);
  tokens_.minute.add(now.second(), ask.tokens);
  if (peers_ != nullptr) {
    requests_.batch.use(1, now.monotonic);
    tokens_.batch.use(ask.tokens, now.monotonic);
  }
  return std::nullopt;
}

std::optional<Refusal> Account::hold_more(NanoDollars cost, Moment now) {
  const std::lock_guard lock(mutex_);
  if (peers_ != nullptr) enroll();
  std::optional<Refusal> refused = over_budget({.cost = cost}, now, nullptr);
  if (!refused) reserved_ += cost;
  return refused;
}

void Account::hold_less(NanoDollars cost) {
  const std::lock_guard lock(mutex_);
  reserved_ -= cost;
}

void Account::give_back(const Ask& ask, Moment taken) {
  const std::lock_guard lock(mutex_);
  reserved_ -= ask.cost;
  --in_flight_;
  requests_.minute.add(taken.second(), -1);
  tokens_.minute.add(taken.second(), -ask.tokens);
  if (peers_ == nullptr) return;
  if (limits_.requests_per_minute) requests_.batch.give_back(1, taken.monotonic);
  if (limits_.tokens_per_minute) tokens_.batch.give_back(ask.tokens, taken.monotonic);
}

void Account::settle(const Ask& ask, Moment taken, const Used& used, Moment now,
                     std::vector<Crossing>* crossings) {
  const std::lock_guard lock(mutex_);
  reserved_ -= ask.cost;
  --in_flight_;
  // What was not used comes back where it was taken; what went beyond counts from now on.
  const int64_t beyond = used.tokens - ask.tokens;
  tokens_.minute.add(beyond < 0 ? taken.second() : now.second(), beyond);
  if (peers_ != nullptr && limits_.tokens_per_minute) {
    tokens_.batch.give_back(-beyond, taken.monotonic);
    tokens_.batch.charge(beyond);
  }
  spend_.add(used.ended_micros, used.cost);
  for (Budget& budget : budgets_) {
    if (used.ended_micros >= budget.window.until) {
      turn(budget, used.ended_micros);  // the sum it begins with holds this request
    } else if (used.ended_micros >= budget.window.from) {
      budget.spent += used.cost;
    }
    pass_marks(budget, now.wall_micros, crossings);
  }
}

void Account::pass_marks(Budget& budget, int64_t wall_micros,
                         std::vector<Crossing>* crossings) const {
  const int64_t reached =
      permille(budget.spent + budget.ceiling.others_spent(), limit_of(budget.rule, wall_micros));
  for (size_t i = 0; i < kMarks.size(); ++i) {
    const auto bit = static_cast<uint8_t>(1U << i);
    if (reached < kMarks[i] || (budget.marks & bit) != 0) continue;
    budget.marks |= bit;
    if (crossings != nullptr) crossings->push_back({state_of(budget, wall_micros), kMarks[i]});
  }
}

void Account::add_spend(NanoDollars amount, int64_t wall_micros) {
  const std::lock_guard lock(mutex_);
  spend_.add(wall_micros, amount);
  for (Budget& budget : budgets_) {
    if (budget.window.holds(wall_micros)) budget.spent += amount;
  }
}

bool Account::is_ample(const Ask& ask, int64_t times, Moment now) const {
  const std::lock_guard lock(mutex_);
  if (limits_.tokens_per_minute) {
    const int64_t used =
        std::max(tokens_.minute.used(now.second()), tokens_.batch.used(now.monotonic));
    if (used + ask.tokens > *limits_.tokens_per_minute / times) return false;
  }
  for (Budget& budget : budgets_) {
    turn(budget, now.wall_micros);
    const NanoDollars told = budget.ceiling.others_spent();
    const NanoDollars held = reserved_ + budget.ceiling.others() - told;
    const NanoDollars left = limit_of(budget.rule, now.wall_micros) - budget.spent - told;
    if (held + ask.cost > left / times) return false;
  }
  return true;
}

Demands Account::demands_now() const {
  Demands demands{.tokens = limits_.tokens_per_minute.has_value(), .cost = !budgets_.empty()};
  demands.told = !limits_.shadow && (demands.tokens || limits_.requests_per_minute);
  demands.known_cost = std::any_of(budgets_.begin(), budgets_.end(), [](const Budget& each) {
    return each.rule.hard && !each.rule.shadow;
  });
  return demands;
}

NanoDollars Account::spent(const Window& window) const {
  const std::lock_guard lock(mutex_);
  return spend_.within(window);
}

std::vector<BudgetState> Account::budgets(int64_t wall_micros) const {
  const std::lock_guard lock(mutex_);
  std::vector<BudgetState> states;
  states.reserve(budgets_.size());
  for (Budget& budget : budgets_) {
    turn(budget, wall_micros);
    states.push_back(state_of(budget, wall_micros));
  }
  return states;
}

std::optional<BudgetState> Account::step(int64_t wall_micros) const {
  const std::lock_guard lock(mutex_);
  const Budget* hardest = nullptr;
  Step reached = Step::None;
  for (Budget& budget : budgets_) {
    turn(budget, wall_micros);
    const NanoDollars limit = limit_of(budget.rule, wall_micros);
    const NanoDollars used = budget.spent + reserved_ + budget.ceiling.others_spent();
    const Step step = step_at(budget.rule, permille(used, limit));
    if (step <= reached || budget.rule.shadow) continue;
    hardest = &budget;
    reached = step;
  }
  if (hardest == nullptr) return std::nullopt;
  return state_of(*hardest, wall_micros);
}

Allowance Account::allowance(Rate& rate, Moment now) const {
  const std::optional<int64_t> limit = limits_.*rate.limit;
  if (!limit || limits_.shadow) return {};
  Allowance allowance{.limit = limit};
  if (peers_ != nullptr && peers_->in_touch(now.monotonic)) {
    allowance.remaining = std::max<int64_t>(*limit - rate.batch.used(now.monotonic), 0);
    allowance.reset_seconds = rate.batch.reset(now.monotonic);
    return allowance;
  }
  allowance.remaining = std::max<int64_t>(*limit - rate.minute.used(now.second()), 0);
  allowance.reset_seconds = rate.minute.reset(now.second());
  return allowance;
}

Allowances Account::allowances(Moment now) const {
  const std::lock_guard lock(mutex_);
  return {.requests = allowance(requests_, now), .tokens = allowance(tokens_, now)};
}

int64_t Account::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

NanoDollars Account::reserved() const {
  const std::lock_guard lock(mutex_);
  return reserved_;
}

}  // namespace sluice::governance
