#include "providers/key_ring.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::providers {
namespace {

// Four characters of a shorter key would be too much of it.
constexpr size_t kLongKey = 20;

constexpr KeyRing::Tried bit(size_t key) {
  return KeyRing::Tried{1} << key;
}

}  // namespace

std::string key_label(std::string_view name, size_t index, const Secret& secret) {
  if (!name.empty()) return std::string(name);
  const std::string_view text = secret.reveal();
  if (text.size() < kLongKey) return fmt::format("#{}", index + 1);
  return fmt::format("#{} (...{})", index + 1, text.substr(text.size() - 4));
}

KeyRing::KeyRing(std::vector<Key> keys) : keys_(std::move(keys)), standings_(keys_.size()) {}

bool KeyRing::may_try(size_t key, Nanos now, Tried tried) const {
  const Standing& standing = standings_[key];
  if ((tried & bit(key)) != 0) return false;
  return standing.out ? now >= standing.probe_at : now >= standing.rests_until;
}

std::optional<size_t> KeyRing::pick(Nanos now, uint64_t random, Tried tried) {
  if (keys_.size() == 1 && tried == 0 && !troubled_.load(std::memory_order_acquire)) return 0;
  const std::lock_guard lock(mutex_);
  uint64_t weights = 0;
  for (size_t key = 0; key < keys_.size(); ++key) {
    if (!may_try(key, now, tried)) continue;
    if (standings_[key].out) {
      // This request is the probe; the next is not due before the pause is over again.
      standings_[key].probe_at = now + kProbeAfter;
      return key;
    }
    weights += std::max<uint32_t>(keys_[key].weight, 1);
  }
  if (weights > 0) {
    uint64_t at = random % weights;
    for (size_t key = 0; key < keys_.size(); ++key) {
      if (standings_[key].out || !may_try(key, now, tried)) continue;
      const uint64_t weight = std::max<uint32_t>(keys_[key].weight, 1);
      if (at < weight) return key;
      at -= weight;
    }
  }
  std::optional<size_t> first;
  for (size_t key = 0; key < keys_.size(); ++key) {
    if (standings_[key].out || (tried & bit(key)) != 0) continue;
    if (!first || standings_[key].rests_until < standings_[*first].rests_until) first = key;
  }
  return first;
}

KeyRing::Event KeyRing::limited(size_t key, Nanos now, Nanos until) {
  const std::lock_guard lock(mutex_);
  Standing& standing = standings_[key];
  if (standing.out) {  // limited is not refused: the key is good again
    standing = {.rests_until = until, .probe_at = 0, .out = false};
    return Event::Back;
  }
  const bool rested = now < standing.rests_until;
  standing.rests_until = std::max(standing.rests_until, until);
  troubled_.store(true, std::memory_order_release);
  return rested || until <= now ? Event::None : Event::Rests;
}

KeyRing::Event KeyRing::refused(size_t key, Nanos now, Nanos until) {
  const std::lock_guard lock(mutex_);
  Standing& standing = standings_[key];
  const bool was_out = standing.out;
  standing = {.rests_until = 0, .probe_at = std::max(now, until), .out = true};
  troubled_.store(true, std::memory_order_release);
  return was_out ? Event::None : Event::TakenOut;
}

KeyRing::Event KeyRing::accepted(size_t key) {
  if (!troubled_.load(std::memory_order_acquire)) return Event::None;
  const std::lock_guard lock(mutex_);
  Standing& standing = standings_[key];
  const bool was_out = standing.out;
  if (was_out) standing = {};
  const bool none_left = std::all_of(standings_.begin(), standings_.end(), [](const Standing& it) {
    return !it.out && it.rests_until == 0;
  });
  if (none_left) troubled_.store(false, std::memory_order_release);
  return was_out ? Event::Back : Event::None;
}

KeyRing::State KeyRing::state(size_t key, Nanos now) const {
  const std::lock_guard lock(mutex_);
  const Standing& standing = standings_[key];
  if (standing.out) return State::Out;
  return now < standing.rests_until ? State::Resting : State::InService;
}

}  // namespace sluice::providers
