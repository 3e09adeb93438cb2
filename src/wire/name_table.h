// The rows of a constexpr table by their names: which field of a body a key is. Built by the
// compiler; a look-up costs a hash of three bytes and about one comparison.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace sluice::chat {

// Row has a `name`, which is not empty; several rows may have the same.
template <class Row, size_t kRows>
class NameTable {
 public:
  constexpr explicit NameTable(const std::array<Row, kRows>& rows) : rows_(rows) {
    slots_.fill(kFree);
    for (size_t i = 0; i < kRows; ++i) {
      size_t slot = slot_of(rows_[i].name);
      while (slots_[slot] != kFree) slot = (slot + 1) % kSlots;
      slots_[slot] = static_cast<uint8_t>(i);
    }
  }

  // The first row of that name for which `fits` holds; null if there is none.
  template <class Fits>
  const Row* find(std::string_view name, Fits fits) const {
    if (name.empty()) return nullptr;
    for (size_t slot = slot_of(name); slots_[slot] != kFree; slot = (slot + 1) % kSlots) {
      const Row& row = rows_[slots_[slot]];
      if (row.name == name && fits(row)) return &row;
    }
    return nullptr;
  }
  const Row* find(std::string_view name) const {
    return find(name, [](const Row&) { return true; });
  }

 private:
  static constexpr size_t kSlots = std::bit_ceil(kRows * 3);  // at most a third is taken
  static constexpr uint8_t kFree = 0xff;
  static_assert(kRows < kFree);

  static constexpr size_t slot_of(std::string_view name) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(name[i]); };
    return (name.size() * 11 + byte(0) * 5u + byte(name.size() - 1)) % kSlots;
  }

  std::array<Row, kRows> rows_;
  std::array<uint8_t, kSlots> slots_{};
};

}  // namespace sluice::chat
