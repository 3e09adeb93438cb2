// The keys of one provider, and which of them to use next (acceptance RET-5, RET-7).
//
// A key that met a rate limit rests until the limit is over; one that was refused or is used up is
// out until a moment, and then a single request at a time tries it again, every five minutes. The
// ring holds no secrets, only what keys are called. Thread-safe; all times are passed in.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/time.h"

namespace sluice::providers {

// What a key is called in logs and events: its name, else its place counted from 1 and, of a long
// key, the last four characters: "#2 (...x7Qa)".
std::string key_label(std::string_view name, size_t index, const Secret& secret);

class KeyRing {
 public:
  static constexpr size_t kMaxKeys = 64;
  static constexpr Nanos kProbeAfter = 300 * kSecond;

  struct Key {
    std::string label;
    uint32_t weight = 1;  // 0 counts as 1
  };
  // What happened to a key, for the log and the event stream.
  enum class Event : uint8_t { None, Rests, TakenOut, Back };
  enum class State : uint8_t { InService, Resting, Out };

  // Which keys one exchange has tried: bit n is key n.
  using Tried = uint64_t;

  // Requires: at most kMaxKeys keys.
  explicit KeyRing(std::vector<Key> keys);

  size_t size() const { return keys_.size(); }
  const std::string& label(size_t key) const { return keys_[key].label; }

  // One of the keys in service, by weight; `random` is any number. While all others rest or are
  // tried, the one whose rest ends first is used all the same, so that a lone key is never rested
  // away. Nothing: all keys were tried, or are out.
  std::optional<size_t> pick(Nanos now, uint64_t random, Tried tried = 0);

  // What the upstream said to a key.
  Event limited(size_t key, Nanos now, Nanos until);  // 429; a longer rest stays
  Event refused(size_t key, Nanos now, Nanos until);  // 401, 402, 403, a quota used up
  Event accepted(size_t key);                         // anything else

  State state(size_t key, Nanos now) const;

 private:
  struct Standing {
    Nanos rests_until = 0;
    Nanos probe_at = 0;
    bool out = false;
  };
  bool may_try(size_t key, Nanos now, Tried tried) const;

  const std::vector<Key> keys_;
  // False while every key is in service and none has rested: then nothing needs the lock.
  std::atomic<bool> troubled_ = false;
  mutable std::mutex mutex_;
  std::vector<Standing> standings_;
};

}  // namespace sluice::providers
