// Byte classes of HTTP/1.1 and the scan for the end of a field value. Private to the codec.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::net::http1 {

inline constexpr uint8_t kToken = 1;   // in a method or a field name (RFC 9110 5.6.2)
inline constexpr uint8_t kText = 2;    // in a field value: visible, space, tab, obs-text
inline constexpr uint8_t kTarget = 4;  // in a request target: visible ASCII but '#'
inline constexpr uint8_t kHost = 8;    // in a Host field (RFC 3986 3.2.2, with the port)

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto one_of = [c](std::string_view set) {
      return c != 0 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    uint8_t bits = 0;
    if (alnum || one_of("!#$%&'*+-.^_`|~")) bits |= kToken;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kText;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTarget;
    if (alnum || one_of("-._~%!$&'()*+;=:[]")) bits |= kHost;
    classes[static_cast<size_t>(c)] = bits;
  }
  return classes;
}

inline constexpr std::array<uint8_t, 256> kClasses = make_classes();

constexpr bool is(char c, uint8_t byte_class) {
  return (kClasses[static_cast<uint8_t>(c)] & byte_class) != 0;
}

// The first byte at or after `at` that is not of the class, or `end`.
inline const char* skip(const char* at, const char* end, uint8_t byte_class) {
  while (at != end && is(*at, byte_class)) ++at;
  return at;
}

// The same for kText, sixteen bytes at a time: values are most of a head.
inline const char* skip_text(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i del = _mm_set1_epi8(0x7f);
  const __m128i tab = _mm_set1_epi8('\t');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), control),
                                     _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  return skip(at, end, kText);
}

}  // namespace sluice::net::http1
