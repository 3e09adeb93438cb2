// What was spent, in quarters of an hour: every calendar period of every time zone in use begins
// and ends on one, so the spend of any budget can be summed from these.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/money.h"
#include "governance/period.h"

namespace sluice::governance {

inline constexpr int64_t kQuarterMicros = 900'000'000;

// Quarters since 1970 UTC.
constexpr int64_t quarter_of(int64_t wall_micros) {
  return wall_micros / kQuarterMicros;
}

struct QuarterSpend {
  int64_t quarter = 0;
  NanoDollars amount = 0;
};

class Spend {
 public:
  // Longer than the longest month; what is older only counts in the total.
  static constexpr int64_t kKeptQuarters = 32 * 96;

  void add(int64_t wall_micros, NanoDollars amount);
  // What the ledger says: rising quarters, and the sum of all that ever was.
  void seed(std::span<const QuarterSpend> quarters, NanoDollars total);

  NanoDollars total() const { return total_; }
  // Requires: a window of a Period, which began no longer than kKeptQuarters ago.
  NanoDollars within(const Window& window) const;

 private:
  std::vector<QuarterSpend> quarters_;  // rising
  NanoDollars total_ = 0;
};

}  // namespace sluice::governance
