#include "routing/health.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "routing/random.h"

namespace sluice::routing {
namespace {

// The members of `set`, in the ring's order.
template <class Visit>
void for_each_in_ring(TargetSet set, size_t start, Visit visit) {
  for (TargetSet left = std::rotr(set, static_cast<int>(start)); left != 0; left &= left - 1) {
    if (visit((static_cast<size_t>(std::countr_zero(left)) + start) % kMaxTargets)) return;
  }
}

}  // namespace

std::shared_ptr<Breaker> HealthTable::breaker(std::string_view name,
                                              const BreakerOptions& options) {
  const std::lock_guard guard(lock_);
  const auto found = breakers_.find(name);
  if (found != breakers_.end()) {
    found->second->set_options(options);
    return found->second;
  }
  auto made = std::make_shared<Breaker>(std::string(name), options, next_random(seed_));
  breakers_.emplace(name, made);
  return made;
}

void HealthTable::keep_only(std::span<const std::string> names) {
  const std::lock_guard guard(lock_);
  std::erase_if(breakers_, [names](const auto& entry) {
    if (std::find(names.begin(), names.end(), entry.first) != names.end()) return false;
    entry.second->retire();
    return true;
  });
}

std::vector<HealthTable::Row> HealthTable::rows(Nanos now) const {
  const std::lock_guard guard(lock_);
  std::vector<Row> rows;
  rows.reserve(breakers_.size());
  for (const auto& [name, breaker] : breakers_) rows.push_back({name, breaker->status(now)});
  return rows;
}

void SkipNotes::skipped(size_t target, std::string_view name, std::string_view why) {
  const TargetSet bit = TargetSet{1} << target;
  if ((told_ & bit) != 0) return;
  told_ |= bit;
  add(std::string(name).append(" skipped: ").append(why));
}

void SkipNotes::add(std::string_view clause) {
  if (text_.size() + clause.size() > kMaxLength) return;
  if (!text_.empty()) text_ += "; ";
  text_ += clause;
}

Breaker* Candidates::breaker(size_t i) const {
  return breakers.empty() ? nullptr : breakers[chain[i].slot].get();
}

std::optional<Chosen> first_admitted(const Candidates& candidates, Nanos now, SkipNotes& notes) {
  std::optional<Chosen> chosen;
  for_each_in_ring(candidates.among, candidates.start, [&](size_t i) {
    Breaker* breaker = candidates.breaker(i);
    if (breaker == nullptr) {
      chosen.emplace(i, Breaker::Ticket(), Breaker::Admission::Kind::Go);
      return true;
    }
    Breaker::Admission admission = breaker->admit(now);
    if (!admission) {
      notes.skipped(i, breaker->name(), breaker->status(now).text);
      return false;
    }
    chosen.emplace(i, std::move(admission.ticket), admission.kind);
    return true;
  });
  return chosen;
}

std::optional<Chosen> first_anyway(const Candidates& candidates, Nanos now) {
  std::vector<std::pair<Nanos, size_t>> by_end;
  for_each_in_ring(candidates.among, candidates.start, [&](size_t i) {
    const Breaker* breaker = candidates.breaker(i);
    if (breaker != nullptr) by_end.emplace_back(breaker->pause_end(), i);
    return false;
  });
  std::stable_sort(by_end.begin(), by_end.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [end, i] : by_end) {
    Breaker::Admission admission = candidates.breaker(i)->admit_anyway(now);
    if (admission) return Chosen(i, std::move(admission.ticket), admission.kind);
  }
  return std::nullopt;
}

}  // namespace sluice::routing
