#include "wire/json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <simdjson.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::json {
namespace {

#if defined(__SSE2__)
// One bit for each byte that ends a plain run of a string: quote, backslash or control character.
inline unsigned specials(__m128i bytes) {
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
}
#endif

// The first such byte in [p, end).
inline const char* find_special(const char* p, const char* end) {
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    const unsigned mask = specials(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    if (mask != 0) return p + __builtin_ctz(mask);
  }
#endif
  while (p < end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) > 0x1f) ++p;
  return p;
}

// Below this a look at the high bits is cheaper than the call of the library.
constexpr size_t kShortText = 256;

bool is_ascii(std::string_view text) {
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    seen |= word;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080) == 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// One bit per open container of skip(): set for an object.
class Nesting {
 public:
  void push(int level, bool object) {
    const uint64_t bit = uint64_t{1} << (level & 63);
    uint64_t& word = words_[static_cast<size_t>(level) / 64];
    word = object ? word | bit : word & ~bit;
  }
  bool is_object(int level) const {
    return (words_[static_cast<size_t>(level) / 64] >> (level & 63)) & 1;
  }

 private:
  std::array<uint64_t, (kMaxDepth + 64) / 64> words_{};
};

}  // namespace

bool is_utf8(std::string_view text) {
  if (text.size() <= kShortText && is_ascii(text)) return true;
  return simdjson::validate_utf8(text.data(), text.size());
}

bool Reader::fail_here() {
  if (p_ >= end_) return fail(begin_ == end_ ? Fault::Empty : Fault::UnexpectedEnd);
  return fail(Fault::UnexpectedByte);
}

bool Reader::enter() {
  if (depth_ >= kMaxDepth) return fail(Fault::TooDeep);
  ++p_;
  ++depth_;
  fresh_ = true;
  return true;
}

bool Reader::open_object() {
  return peek() == Type::Object ? enter() : fail_here();
}

bool Reader::open_array() {
  return peek() == Type::Array ? enter() : fail_here();
}

// A key as programs write it: `,"key":` without spaces and escapes, up to 31 bytes long.
inline bool Reader::plain_member(Text* key) {
#if defined(__SSE2__)
  const char* p = p_;
  if (end_ - p < 36) return false;
  if (!fresh_ && *p++ != ',') return false;
  if (*p++ != '"') return false;
  unsigned special = specials(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  if (special == 0) {
    special = specials(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16))) << 16;
    if (special == 0) return false;
  }
  const int length = __builtin_ctz(special);
  if (p[length] != '"' || p[length + 1] != ':') return false;
  key->raw = {p, static_cast<size_t>(length)};
  key->escaped = false;
  fresh_ = false;
  p_ = p + length + 2;
  return true;
#else
  return false;
#endif
}

bool Reader::next_member(Text* key) {
  if (failed()) return false;
  if (plain_member(key)) return true;
  skip_space();
  if (p_ >= end_) return fail(Fault::UnexpectedEnd);
  if (*p_ == '}') {
    ++p_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (!fresh_) {
    if (*p_ != ',') return fail(Fault::ExpectedCommaOrBrace);
    ++p_;
    skip_space();
  }
  fresh_ = false;
  if (p_ >= end_) return fail(Fault::UnexpectedEnd);
  if (*p_ != '"') return fail(Fault::ExpectedKey);
  if (!string(key)) return false;
  skip_space();
  if (p_ >= end_) return fail(Fault::UnexpectedEnd);
  if (*p_ != ':') return fail(Fault::ExpectedColon);
  ++p_;
  return true;
}

bool Reader::next_element() {
  if (failed()) return false;
  skip_space();
  if (p_ >= end_) return fail(Fault::UnexpectedEnd);
  if (*p_ == ']') {
    ++p_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (!fresh_) {
    if (*p_ != ',') return fail(Fault::ExpectedCommaOrBracket);
    ++p_;
    skip_space();
    if (p_ >= end_) return fail(Fault::UnexpectedEnd);
  }
  fresh_ = false;
  return true;
}

bool Reader::string(Text* text) {
  if (peek() != Type::String) return fail_here();
  const char* start = ++p_;
  text->escaped = false;
  if (!string_body(&text->escaped)) return false;
  text->raw = {start, static_cast<size_t>(p_ - start - 1)};
  return true;
}

// From after the opening quote to after the closing one.
bool Reader::string_body(bool* escaped) {
  for (;;) {
    p_ = find_special(p_, end_);
    if (p_ >= end_) return fail(Fault::UnexpectedEnd);
    if (*p_ == '"') {
      ++p_;
      return true;
    }
    if (*p_ != '\\') return fail(Fault::ControlCharacter);
    *escaped = true;
    if (!escape()) return false;
  }
}

bool Reader::hex4(uint32_t* unit) {
  if (end_ - p_ < 4) {
    p_ = end_;
    return fail(Fault::UnexpectedEnd);
  }
  const auto [stop, error] = std::from_chars(p_, p_ + 4, *unit, 16);
  if (error != std::errc() || stop != p_ + 4) return fail(Fault::BadEscape);
  p_ += 4;
  return true;
}

bool Reader::escape() {
  if (end_ - p_ < 2) {
    p_ = end_;
    return fail(Fault::UnexpectedEnd);
  }
  const char kind = p_[1];
  if (kind != 'u') {
    if (kind == '\0' || std::strchr("\"\\/bfnrt", kind) == nullptr) return fail(Fault::BadEscape);
    p_ += 2;
    return true;
  }
  const char* start = p_;
  p_ += 2;
  uint32_t unit = 0;
  if (!hex4(&unit)) return false;
  if (unit < 0xd800 || unit > 0xdfff) return true;
  uint32_t low = 0;
  const bool high = unit < 0xdc00;
  if (high && end_ - p_ >= 2 && p_[0] == '\\' && p_[1] == 'u') {
    p_ += 2;
    if (!hex4(&low)) return false;
  }
  if (low >= 0xdc00 && low <= 0xdfff) return true;
  p_ = start;
  return fail(Fault::LoneSurrogate);
}

// At least one digit.
bool Reader::digits() {
  const char* start = p_;
  while (p_ < end_ && is_digit(*p_)) ++p_;
  if (p_ != start) return true;
  return fail(p_ >= end_ ? Fault::UnexpectedEnd : Fault::BadNumber);
}

bool Reader::number(std::string_view* text) {
  if (peek() != Type::Number) return fail_here();
  const char* start = p_;
  if (*p_ == '-') ++p_;
  if (p_ < end_ && *p_ == '0') {
    ++p_;
  } else if (!digits()) {
    return false;
  }
  bool has_exponent = false;
  if (p_ < end_ && *p_ == '.') {
    ++p_;
    if (!digits()) return false;
  }
  if (p_ < end_ && (*p_ == 'e' || *p_ == 'E')) {
    has_exponent = true;
    ++p_;
    if (p_ < end_ && (*p_ == '+' || *p_ == '-')) ++p_;
    if (!digits()) return false;
  }
  // Whatever follows a value is checked by whoever reads on, but "01" and "1a" read better as bad
  // numbers.
  if (p_ < end_ && (is_digit(*p_) || is_letter(*p_))) {
    return fail(Fault::BadNumber);
  }
  *text = since(start);
  return in_range(*text, has_exponent);
}

bool Reader::in_range(std::string_view number, bool has_exponent) {
  if (number.size() > kMaxNumberLength) return fail(Fault::NumberTooLong);
  // Below 300 digits without an exponent nothing can overflow a double.
  if (!has_exponent && number.size() < 300) return true;
  if (std::isinf(to_double(number))) return fail(Fault::NumberTooBig);
  return true;
}

template <size_t N>
bool Reader::literal(const char (&word)[N]) {
  constexpr size_t kLength = N - 1;
  if (static_cast<size_t>(end_ - p_) < kLength || std::memcmp(p_, word, kLength) != 0) {
    return broken_literal(word);
  }
  p_ += kLength;
  return true;
}

bool Reader::broken_literal(std::string_view word) {
  const std::string_view rest(p_, static_cast<size_t>(end_ - p_));
  if (!word.starts_with(rest)) return fail(Fault::BadLiteral);
  p_ = end_;
  return fail(Fault::UnexpectedEnd);
}

bool Reader::boolean(bool* value) {
  if (peek() != Type::Bool) return fail_here();
  *value = *p_ == 't';
  return *value ? literal("true") : literal("false");
}

bool Reader::null() {
  if (peek() != Type::Null) return fail_here();
  return literal("null");
}

// Requires: peek() named a scalar.
bool Reader::skip_scalar() {
  switch (*p_) {
    case '"': {
      bool escaped = false;
      ++p_;
      return string_body(&escaped);
    }
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default: {
      std::string_view number_text;
      return number(&number_text);
    }
  }
}

bool Reader::skip() {
  const Type type = peek();
  if (type == Type::None) return fail_here();
  return type == Type::Object || type == Type::Array ? skip_container() : skip_scalar();
}

// Without recursion: what a hostile body may nest costs one bit a level.
bool Reader::skip_container() {
  Nesting nesting;
  const int base = depth_;
  Text key;
  for (;;) {
    const Type type = peek();
    if (type == Type::Object || type == Type::Array) {
      if (!enter()) return false;
      nesting.push(depth_ - 1, type == Type::Object);
    } else if (type == Type::None) {
      return fail_here();
    } else if (!skip_scalar()) {
      return false;
    }
    // To the next value, closing what ends here.
    for (;;) {
      if (depth_ == base) return true;
      const bool more = nesting.is_object(depth_ - 1) ? next_member(&key) : next_element();
      if (more) break;
      if (failed()) return false;
    }
  }
}

bool Reader::finish() {
  if (failed()) return false;
  skip_space();
  return p_ == end_ || fail(Fault::TrailingBytes);
}

double to_double(std::string_view digits) {
  double value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  // from_chars says the same for too big and too small: a negative exponent tells them apart,
  // unless the digits before it outweigh it, which strtod decides.
  return std::strtod(std::string(digits).c_str(), nullptr);
}

std::optional<int64_t> to_integer(std::string_view digits) {
  int64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc() && stop == end) return value;
  const double real = to_double(digits);
  if (std::trunc(real) != real || std::abs(real) > 9e15) return std::nullopt;
  return static_cast<int64_t>(real);
}

}  // namespace sluice::json
