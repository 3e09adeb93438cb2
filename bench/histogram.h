// Latencies in nanoseconds, kept in buckets that grow with the value: 1,024 per power of two, so a
// quantile is exact to 0.1 % however long the run.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sluice::bench {

class Histogram {
 public:
  void add(int64_t value) {
    auto v = static_cast<uint64_t>(value < 0 ? 0 : value);
    ++buckets_[index(v)];
    ++count_;
    if (value > max_) max_ = value;
  }

  uint64_t count() const { return count_; }
  int64_t max() const { return max_; }

  // The value below which the share `quantile` of all values lies (upper edge of its bucket).
  int64_t at(double quantile) const {
    auto rank = static_cast<uint64_t>(quantile * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > rank) return upper_edge(i);
    }
    return max_;
  }

 private:
  static constexpr unsigned kSubBits = 10;
  static constexpr uint64_t kSub = 1U << kSubBits;

  static size_t index(uint64_t v) {
    if (v < kSub) return static_cast<size_t>(v);
    unsigned shift = static_cast<unsigned>(std::bit_width(v)) - kSubBits - 1;
    return static_cast<size_t>((shift + 1) * kSub + ((v >> shift) - kSub));
  }

  static int64_t upper_edge(size_t i) {
    if (i < kSub) return static_cast<int64_t>(i);
    unsigned shift = static_cast<unsigned>(i / kSub) - 1;
    return static_cast<int64_t>(((i % kSub + kSub + 1) << shift) - 1);
  }

  std::array<uint64_t, (64 - kSubBits + 1) * kSub> buckets_{};
  uint64_t count_ = 0;
  int64_t max_ = 0;
};

}  // namespace sluice::bench
