// What the tokenizers' splitters know of a character: the kinds that their patterns tell apart, by
// Unicode's general categories. The table is made by scripts/make_tokenizers.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::tokens {

enum class Kind : uint8_t {
  Other,    // signs, controls, emoji; a byte that is not UTF-8
  Upper,    // Lu, Lt
  Lower,    // Ll
  Letter,   // Lm, Lo: of scripts without case
  Mark,     // M
  Number,   // N
  Space,    // White_Space without the two below
  NewLine,  // \r, \n
};

// Several kinds, a bit for each.
struct Kinds {
  uint8_t bits = 0;
  template <class... K>
  static constexpr Kinds of(K... kinds) {
    return {static_cast<uint8_t>(((1u << static_cast<unsigned>(kinds)) | ...))};
  }
  constexpr bool has(Kind kind) const { return (bits >> static_cast<unsigned>(kind)) & 1; }
};

inline constexpr Kinds kLetters = Kinds::of(Kind::Upper, Kind::Lower, Kind::Letter);
inline constexpr Kinds kSpaces = Kinds::of(Kind::Space, Kind::NewLine);
inline constexpr Kinds kSigns = Kinds::of(Kind::Other, Kind::Mark);

struct Character {
  Kind kind = Kind::Other;
  uint8_t size = 1;  // bytes
};

// Kinds of the ASCII characters.
extern const std::array<Kind, 128> kAscii;
// Requires: text[at] is no ASCII character.
Character wide_character_at(std::string_view text, size_t at);

// Requires: at < text.size().
inline Character character_at(std::string_view text, size_t at) {
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x80) return {kAscii[byte], 1};
  return wide_character_at(text, at);
}

// The end of the run of these kinds that begins at `at`; `at` itself if there is none.
inline size_t run_end(std::string_view text, size_t at, Kinds kinds) {
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (!kinds.has(next.kind)) break;
    at += next.size;
  }
  return at;
}

}  // namespace sluice::tokens
