// From keys of 46 bits to ids of 18, eight bytes an entry: open addressing with linear probing, at
// most two thirds full. Made once, then read by any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::tokens {

class IdTable {
 public:
  static constexpr unsigned kIdBits = 18;
  static constexpr uint32_t kNone = (1u << kIdBits) - 1;

  explicit IdTable(size_t entries)
      : slots_(std::bit_ceil(entries + entries / 2 + 1), kEmpty),
        shift_(64 - static_cast<unsigned>(std::countr_zero(slots_.size()))) {}

  // Requires: key is not in the table and below 2^46, id < kNone, no more than `entries` in all.
  void insert(uint64_t key, uint32_t id) {
    size_t at = start_of(key);
    while (slots_[at] != kEmpty) at = next(at);
    slots_[at] = key << kIdBits | id;
  }

  // kNone: not in the table.
  uint32_t find(uint64_t key) const {
    for (size_t at = start_of(key); slots_[at] != kEmpty; at = next(at)) {
      if (slots_[at] >> kIdBits == key) return static_cast<uint32_t>(slots_[at]) & kNone;
    }
    return kNone;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  // Multiplicative hashing by the golden ratio: the high bits depend on all of the key's.
  size_t start_of(uint64_t key) const { return (key * 0x9e3779b97f4a7c15u) >> shift_; }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }

  std::vector<uint64_t> slots_;
  unsigned shift_;
};

}  // namespace sluice::tokens
