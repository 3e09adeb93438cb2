// From keys of 46 bits to ids of 18, eight bytes an entry: open addressing with linear probing, at
// most two thirds full. Most keys that are asked for are not there; a bit for each of twice as many
// values of the hash tells that of most of them without a look at the table, which fits no cache.
// Made once, then read by any thread.
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
      : slots_(std::bit_ceil(entries + entries / 2 + kWord), kEmpty),
        known_(slots_.size() * 2 / kWord),
        shift_(64 - static_cast<unsigned>(std::countr_zero(slots_.size()))) {}

  // Requires: key is not in the table and below 2^46, id < kNone, no more than `entries` in all.
  void insert(uint64_t key, uint32_t id) {
    const uint64_t hash = hash_of(key);
    const uint64_t bit = hash >> (shift_ - 1);
    known_[bit / kWord] |= uint64_t{1} << bit % kWord;
    size_t at = hash >> shift_;
    while (slots_[at] != kEmpty) at = next(at);
    slots_[at] = key << kIdBits | id;
  }

  // kNone: not in the table.
  uint32_t find(uint64_t key) const {
    const uint64_t hash = hash_of(key);
    const uint64_t bit = hash >> (shift_ - 1);
    if ((known_[bit / kWord] >> bit % kWord & 1) == 0) return kNone;
    for (size_t at = hash >> shift_; slots_[at] != kEmpty; at = next(at)) {
      if (slots_[at] >> kIdBits == key) return static_cast<uint32_t>(slots_[at]) & kNone;
    }
    return kNone;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};
  static constexpr size_t kWord = 64;

  // Multiplicative hashing by the golden ratio: the high bits depend on all of the key's.
  static uint64_t hash_of(uint64_t key) { return key * 0x9e3779b97f4a7c15u; }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }

  std::vector<uint64_t> slots_;
  std::vector<uint64_t> known_;
  unsigned shift_;
};

}  // namespace sluice::tokens
