#include "governance/sliding_minute.h"

#include <algorithm>

namespace sluice::governance {

void SlidingMinute::advance(int64_t second) {
  if (second <= latest_) return;
  if (second - latest_ >= kSlots) {
    slots_.fill(0);
    sum_ = 0;
  } else {
    for (int64_t next = latest_ + 1; next <= second; ++next) {
      sum_ -= slot(next);
      slot(next) = 0;
    }
  }
  latest_ = second;
}

int64_t SlidingMinute::used(int64_t second) {
  advance(second);
  return sum_;
}

void SlidingMinute::add(int64_t second, int64_t amount) {
  advance(second);
  if (second <= latest_ - kSlots) return;
  slot(second) += amount;
  sum_ += amount;
}

std::optional<int64_t> SlidingMinute::wait(int64_t second, int64_t amount, int64_t limit) {
  advance(second);
  if (sum_ + amount <= limit) return 0;
  if (amount > limit) return std::nullopt;
  int64_t left = sum_;
  for (int64_t oldest = latest_ - kSlots + 1; oldest <= latest_; ++oldest) {
    if (oldest >= 0) left -= slot(oldest);
    if (left + amount <= limit) return oldest + kSlots - latest_;
  }
  return kSlots;  // debts of more than a minute's limit
}

int64_t SlidingMinute::reset(int64_t second) {
  advance(second);
  if (sum_ == 0) return 0;
  for (int64_t newest = latest_; newest > latest_ - kSlots && newest >= 0; --newest) {
    if (slot(newest) != 0) return newest + kSlots - latest_;
  }
  return 0;
}

}  // namespace sluice::governance
