// How often something happened in each of the last seconds. Thread-safe without a lock: one atomic
// addition to count.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace sluice::routing {

// Remembers `kSeconds` of them, the current one included.
template <int64_t kSeconds>
class SecondCounts {
 public:
  void add(Nanos now) {
    const uint64_t second = second_of(now);
    std::atomic<uint64_t>& bucket = buckets_[second % kSeconds];
    uint64_t seen = bucket.load(std::memory_order_relaxed);
    // The first in its second replaces the count of an older one.
    while (seen >> 32 != second) {
      const uint64_t one = second << 32 | 1;
      if (bucket.compare_exchange_weak(seen, one, std::memory_order_relaxed)) return;
    }
    bucket.fetch_add(1, std::memory_order_relaxed);
  }

  // Of the current second and those before it. Requires: seconds <= kSeconds.
  int64_t sum(int64_t seconds, Nanos now) const {
    const uint64_t newest = second_of(now);
    int64_t sum = 0;
    for (const std::atomic<uint64_t>& bucket : buckets_) {
      const uint64_t seen = bucket.load(std::memory_order_relaxed);
      const bool counts = newest - (seen >> 32) < static_cast<uint64_t>(seconds);
      if (counts) sum += static_cast<int64_t>(seen & UINT32_MAX);
    }
    return sum;
  }

  void clear() {
    for (std::atomic<uint64_t>& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
  }

 private:
  static uint64_t second_of(Nanos now) { return static_cast<uint64_t>(now / kSecond) & UINT32_MAX; }

  // The second's number in the upper half, the count in the lower.
  std::array<std::atomic<uint64_t>, kSeconds> buckets_{};
};

}  // namespace sluice::routing
