#include "providers/learned.h"

namespace sluice::providers {

Learned LearnedFields::of(std::string_view model) const {
  if (!any()) return {};
  const std::lock_guard lock(lock_);
  const auto found = by_model_.find(model);
  return found == by_model_.end() ? Learned{} : found->second;
}

bool LearnedFields::learn(std::string_view model, const WantedField& wanted) {
  const std::lock_guard lock(lock_);
  const auto known = by_model_.find(model);
  if (known == by_model_.end() && by_model_.size() >= kMostModels) return false;
  Learned now = known == by_model_.end() ? Learned{} : known->second;
  const Learned before = now;
  if (wanted.reject == "max_tokens") now.old_max_tokens = false;
  if (wanted.reject == "max_completion_tokens") now.old_max_tokens = true;
  if (wanted.reject == "temperature" || wanted.reject == "top_p") now.fixed_sampling = true;
  if (wanted.reject == "stream_options") now.no_stream_options = true;
  const bool same = now.old_max_tokens == before.old_max_tokens &&
                    now.fixed_sampling == before.fixed_sampling &&
                    now.no_stream_options == before.no_stream_options;
  // A model that wants one name and then the other wants neither.
  const bool undone = before.old_max_tokens && now.old_max_tokens != before.old_max_tokens;
  if (same || undone) return false;
  by_model_.insert_or_assign(std::string(model), now);
  any_.store(true, std::memory_order_release);
  return true;
}

}  // namespace sluice::providers
