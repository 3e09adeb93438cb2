// How much was taken in any minute that ends now, in steps of a second.
//
// Exact as a limit: what was taken in a second counts for the sixty after it, so that no sixty
// seconds, wherever they begin, hold more than was allowed (acceptance RL-1). A place comes back
// up to a second late.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace sluice::governance {

class SlidingMinute {
 public:
  // Seconds come from one monotonic clock; an earlier one than the latest is taken for the latest.
  int64_t used(int64_t second);
  // Negative: gives back what was taken in that second; forgotten if that is over a minute ago.
  void add(int64_t second, int64_t amount);
  // Seconds until `amount` more stays within `limit`; 0: now. Nothing: it never does.
  std::optional<int64_t> wait(int64_t second, int64_t amount, int64_t limit);
  // Seconds until nothing is used any more.
  int64_t reset(int64_t second);

 private:
  static constexpr int64_t kSlots = 61;
  void advance(int64_t second);
  int64_t& slot(int64_t second) { return slots_[static_cast<size_t>(second % kSlots)]; }

  std::array<int64_t, kSlots> slots_{};
  int64_t latest_ = 0;
  int64_t sum_ = 0;
};

}  // namespace sluice::governance
