// The part of an account that speaks for it to the other instances.
#include <algorithm>
#include <limits>

#include "governance/account.h"

namespace sluice::governance {
namespace {

constexpr int64_t kBatchShare = 50;
constexpr int64_t kDayMillis = 86'400'000;
constexpr int64_t kKeepTotal = 400 * kDayMillis;
constexpr std::string_view kParallelKey = "parallel";

int64_t keep_millis(const Window& window, int64_t wall_micros) {
  if (window.until == std::numeric_limits<int64_t>::max()) return kKeepTotal;
  return std::max<int64_t>(window.until - wall_micros, 0) / 1000 + kDayMillis;
}

std::string key_of(const std::string& budget, const Window& window) {
  return "budget:" + budget + ':' + std::to_string(window.from / 1'000'000);
}

}  // namespace

void Account::enroll() {
  const bool limited = limits_.parallel || limits_.requests_per_minute ||
                       limits_.tokens_per_minute || !budgets_.empty();
  if (enrolled_ || !limited) return;
  enrolled_ = true;
  peers_->enroll(shared_from_this());
}

CeilingClaim Account::claim_of(const Budget& budget, NanoDollars waiting, int64_t wall_micros,
                               bool busy) const {
  CeilingClaim claim;
  claim.key = key_of(budget.rule.name, budget.window);
  claim.limit = limit_of(budget.rule, wall_micros);
  claim.spent = budget.spent;
  claim.must = budget.spent + reserved_ + waiting;
  if (busy) claim.headroom = budget.ceiling.headroom(claim.limit, claim.must, *peers_);
  claim.keep_millis = keep_millis(budget.window, wall_micros);
  return claim;
}

CeilingClaim Account::parallel_claim(int64_t waiting, bool busy) const {
  CeilingClaim claim;
  claim.key = kParallelKey;
  claim.limit = *limits_.parallel;
  claim.must = in_flight_ + waiting;
  if (busy) claim.headroom = parallel_.headroom(claim.limit, claim.must, *peers_);
  claim.keep_millis = kDayMillis;
  return claim;
}

Claims Account::claims(const Waiting& waiting, Moment now, bool busy) {
  const std::lock_guard lock(mutex_);
  Claims claims;
  for (Budget& budget : budgets_) {
    turn(budget, now.wall_micros);
    CeilingClaim claim = claim_of(budget, waiting.sum.cost, now.wall_micros, busy);
    budget.ceiling.claim(claim, now.monotonic, *peers_);
    claims.ceilings.push_back(std::move(claim));
  }
  if (limits_.parallel) {
    CeilingClaim claim = parallel_claim(waiting.requests, busy);
    parallel_.claim(claim, now.monotonic, *peers_);
    claims.ceilings.push_back(std::move(claim));
  }
  const struct {
    Rate& rate;
    int64_t want;
    int64_t most;
  } rates[] = {{requests_, waiting.requests, 1},
               {tokens_, waiting.sum.tokens, waiting.most_tokens}};
  for (const auto& each : rates) {
    const std::optional<int64_t> limit = limits_.*each.rate.limit;
    if (!limit) continue;
    const bool enough = each.rate.batch.room(each.want, now.monotonic) == Room::Enough;
    if (enough && !each.rate.batch.due(now.monotonic)) continue;
    BatchClaim claim;
    claim.key = name_of(each.rate.kind);
    claim.limit = *limit;
    claim.want = enough ? 0 : each.want;
    claim.most = each.most;
    claim.extra = busy ? *limit / kBatchShare : 0;
    each.rate.batch.claim(claim, now.monotonic);
    claims.batches.push_back(std::move(claim));
  }
  return claims;
}

// The ceilings these claims were about, as far as they are still there.
template <class Visit>
void Account::each_ceiling(const Claims& claims, Visit visit) {
  for (size_t i = 0; i < claims.ceilings.size(); ++i) {
    const std::string& key = claims.ceilings[i].key;
    if (key == kParallelKey) visit(parallel_, i);
    for (Budget& budget : budgets_)
      if (key == key_of(budget.rule.name, budget.window)) visit(budget.ceiling, i);
  }
}

void Account::take_grants(const Claims& claims, const Grants& grants, Moment sent,
                          std::vector<Crossing>* crossings) {
  const std::lock_guard lock(mutex_);
  const bool in_touch = peers_->in_touch(sent.monotonic);
  each_ceiling(claims, [&](Ceiling& ceiling, size_t i) {
    ceiling.take(claims.ceilings[i], grants.ceilings[i], sent.monotonic, in_touch);
  });
  for (size_t i = 0; i < claims.batches.size(); ++i) {
    Rate& rate = claims.batches[i].key == name_of(requests_.kind) ? requests_ : tokens_;
    rate.batch.take(claims.batches[i], grants.batches[i], sent.monotonic);
  }
  for (Budget& budget : budgets_) pass_marks(budget, sent.wall_micros, crossings);
}

void Account::doubt(const Claims& claims) {
  const std::lock_guard lock(mutex_);
  each_ceiling(claims, [](Ceiling& ceiling, size_t) { ceiling.doubt(); });
}

bool Account::has_news(Moment now, bool busy) const {
  const std::lock_guard lock(mutex_);
  for (const Budget& budget : budgets_) {
    const CeilingClaim claim = claim_of(budget, 0, now.wall_micros, busy);
    if (budget.ceiling.due(claim.spent, claim.must + claim.headroom, now.monotonic)) return true;
  }
  if (limits_.parallel) {
    const CeilingClaim claim = parallel_claim(0, busy);
    if (parallel_.due(0, claim.must + claim.headroom, now.monotonic)) return true;
  }
  return requests_.batch.due(now.monotonic) || tokens_.batch.due(now.monotonic);
}

bool Account::retire() {
  const std::lock_guard lock(mutex_);
  if (reserved_ != 0 || in_flight_ != 0) return false;
  for (const Budget& budget : budgets_)
    if (!budget.ceiling.quiet(budget.spent)) return false;
  if (limits_.parallel && !parallel_.quiet(0)) return false;
  requests_.batch.forget();
  tokens_.batch.forget();
  enrolled_ = false;
  return true;
}

void Account::enroll_spent(int64_t wall_micros) {
  const std::lock_guard lock(mutex_);
  for (Budget& budget : budgets_) {
    turn(budget, wall_micros);
    if (budget.spent != 0) enroll();
  }
}

}  // namespace sluice::governance
