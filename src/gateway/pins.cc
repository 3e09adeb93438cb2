#include "gateway/pins.h"

namespace sluice::gateway {

void Pins::remember(const std::string& id, const Maker& maker) {
  const std::lock_guard lock(lock_);
  if (!makers_.insert_or_assign(id, maker).second) return;
  order_.push_back(id);
  // Forgotten ids keep their place in the order until it is theirs to go.
  while (order_.size() > most_) {
    makers_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<Maker> Pins::find(const std::string& id) const {
  const std::lock_guard lock(lock_);
  const auto found = makers_.find(id);
  if (found == makers_.end()) return std::nullopt;
  return found->second;
}

void Pins::forget(const std::string& id) {
  const std::lock_guard lock(lock_);
  makers_.erase(id);
}

}  // namespace sluice::gateway
