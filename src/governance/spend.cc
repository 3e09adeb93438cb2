#include "governance/spend.h"

#include <algorithm>

namespace sluice::governance {

void Spend::add(int64_t wall_micros, NanoDollars amount) {
  total_ += amount;
  const int64_t quarter = quarter_of(wall_micros);
  // Mostly the last one, or a new one behind it.
  auto place = quarters_.end();
  while (place != quarters_.begin() && (place - 1)->quarter > quarter) --place;
  if (place != quarters_.begin() && (place - 1)->quarter == quarter) {
    (place - 1)->amount += amount;
    return;
  }
  quarters_.insert(place, {quarter, amount});
  const int64_t oldest = quarters_.back().quarter - kKeptQuarters;
  const auto kept = std::find_if(quarters_.begin(), quarters_.end(),
                                 [&](const QuarterSpend& each) { return each.quarter >= oldest; });
  // Rarely, so that the rest is not moved each time.
  if (kept - quarters_.begin() > 96) quarters_.erase(quarters_.begin(), kept);
}

void Spend::seed(std::span<const QuarterSpend> quarters, NanoDollars total) {
  quarters_.assign(quarters.begin(), quarters.end());
  total_ = total;
}

NanoDollars Spend::within(const Window& window) const {
  if (window == kAllTime) return total_;
  NanoDollars sum = 0;
  for (auto each = quarters_.rbegin(); each != quarters_.rend(); ++each) {
    if (each->quarter < quarter_of(window.from)) break;
    if (each->quarter < quarter_of(window.until)) sum += each->amount;
  }
  return sum;
}

}  // namespace sluice::governance
