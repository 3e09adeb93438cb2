#include "gateway/pins.h"

namespace sluice::gateway {

void Pins::remember(const std::string& id, const std::string& target) {
  const std::lock_guard lock(lock_);
  if (!targets_.insert_or_assign(id, target).second) return;
  order_.push_back(id);
  // Forgotten ids keep their place in the order until it is theirs to go.
  while (order_.size() > most_) {
    targets_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<std::string> Pins::find(const std::string& id) const {
  const std::lock_guard lock(lock_);
  const auto found = targets_.find(id);
  if (found == targets_.end()) return std::nullopt;
  return found->second;
}

void Pins::forget(const std::string& id) {
  const std::lock_guard lock(lock_);
  targets_.erase(id);
}

}  // namespace sluice::gateway
