// JSON as it stands in a body: a strict pull reader over the caller's bytes, and the few functions
// that turn JSON strings into text and back.
//
// The reader validates while it walks (RFC 8259, UTF-8, paired surrogates, bounded depth and
// numbers), copies nothing, allocates nothing and needs no padding after the text, so a 20 MB image
// body costs no memory but its own. It is written by hand because simdjson needs padding and an
// index of four bytes per byte of capacity, and its lazy front end leaves skipped values
// unvalidated; only UTF-8 validation is simdjson's. fuzz/json_fuzz.cc compares the two.
// Views returned point into the text. Single-threaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::json {

inline constexpr int kMaxDepth = 128;
// Longer numbers are refused: nobody computes with a thousand digits, and some parsers take
// quadratic time.
inline constexpr size_t kMaxNumberLength = 1024;

enum class Type : uint8_t { None, Null, Bool, Number, String, Array, Object };

// By the first byte of a value; None for a byte that begins none.
inline constexpr std::array<Type, 256> kTypeOfByte = [] {
  std::array<Type, 256> types{};
  for (unsigned char digit = '0'; digit <= '9'; ++digit) types[digit] = Type::Number;
  types['-'] = Type::Number;
  types['"'] = Type::String;
  types['{'] = Type::Object;
  types['['] = Type::Array;
  types['t'] = types['f'] = Type::Bool;
  types['n'] = Type::Null;
  return types;
}();

// "a string", "an object", "null": for messages. None reads as "nothing".
std::string_view name_of(Type type);

// Why a text is not the JSON we accept.
enum class Fault : uint8_t {
  None,
  Utf8,
  Empty,
  UnexpectedEnd,
  UnexpectedByte,
  ExpectedKey,
  ExpectedColon,
  ExpectedCommaOrBrace,
  ExpectedCommaOrBracket,
  BadLiteral,
  BadNumber,
  NumberTooLong,
  NumberTooBig,
  ControlCharacter,
  BadEscape,
  LoneSurrogate,
  TooDeep,
  TrailingBytes,
};
std::string_view words_of(Fault fault);

// A JSON string without its quotes, escapes still in it.
struct Text {
  std::string_view raw;
  bool escaped = false;

  bool empty() const { return raw.empty(); }
  // Length of the text it stands for, in bytes.
  size_t length() const;
  // True if the text it stands for is `plain`.
  bool is(std::string_view plain) const;
  std::string str() const;
};

// Requires: `raw` was accepted by a Reader.
std::string unescape(std::string_view raw);
// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_quoted(std::string& out, std::string_view text);

class Reader {
 public:
  // `text` must be UTF-8 (see is_utf8); everything else is checked on the way.
  explicit Reader(std::string_view text) : Reader(text, 0, 0) {}
  // Goes on inside `depth` open containers, before the first element of the innermost.
  Reader(std::string_view text, size_t at, int depth)
      : begin_(text.data()),
        p_(text.data() + at),
        end_(text.data() + text.size()),
        depth_(depth),
        fresh_(depth > 0) {}

  // The type of the value that comes next, from its first byte alone.
  Type peek() {
    skip_space();
    if (p_ >= end_ || fault_ != Fault::None) return Type::None;
    return kTypeOfByte[static_cast<unsigned char>(*p_)];
  }

  // Each of these consumes one thing. False: it was not there, or the text is broken; the reader
  // then has failed and stays so.
  bool open_object();
  bool open_array();
  // To the value of the next member. False at the closing brace (consumed) and on failure.
  bool next_member(Text* key);
  // To the next element. False at the closing bracket (consumed) and on failure.
  bool next_element();
  bool string(Text* text);
  bool number(std::string_view* digits);
  bool boolean(bool* value);
  bool null();
  // Any value, validated.
  bool skip();
  // The text has to end here.
  bool finish();

  bool failed() const { return fault_ != Fault::None; }
  Fault fault() const { return fault_; }
  // Where the next byte, or the fault, is.
  size_t at() const { return static_cast<size_t>(p_ - begin_); }
  // After peek(): where the value begins.
  const char* pointer() const { return p_; }
  std::string_view since(const char* start) const {
    return {start, static_cast<size_t>(p_ - start)};
  }

 private:
  bool fail(Fault fault) {
    if (fault_ == Fault::None) fault_ = fault;
    return false;
  }
  bool fail_here();
  void skip_space() {
    while (p_ < end_ && static_cast<unsigned char>(*p_) <= ' ' &&
           (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) {
      ++p_;
    }
  }
  template <size_t N>
  bool literal(const char (&word)[N]);
  bool broken_literal(std::string_view word);
  bool string_body(bool* escaped);
  bool escape();
  bool hex4(uint32_t* unit);
  bool digits();
  bool in_range(std::string_view number, bool has_exponent);
  bool skip_scalar();
  bool skip_container();
  bool plain_member(Text* key);
  bool enter();

  const char* begin_;
  const char* p_;
  const char* end_;
  int depth_;
  bool fresh_;
  Fault fault_ = Fault::None;
};

bool is_utf8(std::string_view text);

// The number as an integer; absent if it has a fraction or does not fit. 5.0 and 1e3 are integers.
std::optional<int64_t> to_integer(std::string_view digits);
double to_double(std::string_view digits);

// The path of the value that begins or is being read at `offset`: "messages[2].content"; empty at
// the top.
std::string path_at(std::string_view text, size_t offset);
// "line 3, column 12 (byte 45)", lines and columns counted from 1, bytes from 0.
std::string position_at(std::string_view text, size_t offset);
// What the fault of `reader` is and where. Requires: reader.failed().
Error error_of(Outcome outcome, std::string_view text, const Reader& reader);
// For a text that is not UTF-8.
Error utf8_error(Outcome outcome, std::string_view text);
// What stands at `offset`: a number with its value, anything else by its type, for it may be
// private.
std::string found_at(std::string_view text, size_t offset);
// "`messages[0].content` must be <expected>, found a string at line 1, column 5 (byte 4)", for the
// value that begins at `offset`.
Error mismatch(Outcome outcome, std::string_view text, size_t offset, std::string_view expected);

}  // namespace sluice::json
