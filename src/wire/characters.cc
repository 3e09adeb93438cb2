#include "wire/characters.h"

namespace sluice::tokens {
namespace {

#include "wire/unicode_classes.inc"

constexpr uint32_t kBlock = sizeof(kBlocks[0]) - 1;
static_assert(kBlock == 128);

constexpr Kind kind_of(uint32_t code) {
  const uint32_t block = code / kBlock;
  if (block >= kBlockOf.size()) return Kind::Other;
  return static_cast<Kind>(kBlocks[kBlockOf[block]][code % kBlock] - '0');
}

constexpr std::array<Kind, 128> ascii() {
  std::array<Kind, 128> kinds{};
  for (uint32_t code = 0; code < kinds.size(); ++code) kinds[code] = kind_of(code);
  return kinds;
}

}  // namespace

constinit const std::array<Kind, 128> kAscii = ascii();

Character wide_character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const auto lead = byte(0);
  const uint8_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() - at < size) return {};
  uint32_t code = lead & (0xffu >> (size + 1));
  for (uint8_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  return {kind_of(code), size};
}

}  // namespace sluice::tokens
