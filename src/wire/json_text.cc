// The parts of wire/json.h that are not on the hot path: strings with escapes, and errors.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <vector>

#include "wire/json.h"

namespace sluice::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr size_t kMaxPath = 200;

uint32_t hex4_at(const char* p) {
  uint32_t unit = 0;
  std::from_chars(p, p + 4, unit, 16);
  return unit;
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// The code point of the escape "\u...." at p, and how many bytes of text it took (6 or 12).
uint32_t code_at(const char* p, size_t* taken) {
  const uint32_t unit = hex4_at(p + 2);
  *taken = 6;
  if (unit < 0xd800 || unit > 0xdbff) return unit;
  *taken = 12;
  return 0x10000 + ((unit - 0xd800) << 10) + (hex4_at(p + 8) - 0xdc00);
}

char simple_escape(char kind) {
  switch (kind) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return kind;
  }
}

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if (lead == 0xe0 && second < 0xa0) return 0;
  if (lead == 0xed && second > 0x9f) return 0;
  if (lead == 0xf0 && second < 0x90) return 0;
  if (lead == 0xf4 && second > 0x8f) return 0;
  return length;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

// One open container on the way to an offset.
struct Frame {
  bool object = false;
  bool key_next = false;  // the next string is a key
  size_t index = 0;
  std::string_view key;
};

// Walks the tokens of a text that is valid up to `offset`.
class PathWalk {
 public:
  PathWalk(std::string_view text, size_t offset)
      : text_(text), stop_(std::min(offset, text.size())) {}

  std::string run() {
    for (size_t i = 0; i < stop_;) i = step(i);
    return render();
  }

 private:
  size_t step(size_t i) {
    const char c = text_[i];
    if (c == '"') return string_at(i);
    if (c == '{' || c == '[') {
      frames_.push_back({.object = c == '{', .key_next = c == '{'});
    } else if ((c == '}' || c == ']') && !frames_.empty()) {
      frames_.pop_back();
    } else if (c == ',' && !frames_.empty()) {
      frames_.back().index++;
      frames_.back().key_next = frames_.back().object;
      frames_.back().key = {};
    }
    return i + 1;
  }

  size_t string_at(size_t i) {
    size_t end = i + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end < stop_ && !frames_.empty() && frames_.back().key_next) {
      frames_.back().key = text_.substr(i + 1, end - i - 1);
      frames_.back().key_next = false;
    }
    return end + 1;
  }

  std::string render() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (!frame.object) {
        path += fmt::format("[{}]", frame.index);
      } else if (!frame.key.empty()) {
        if (!path.empty()) path += '.';
        path += frame.key;
      }
      if (path.size() > kMaxPath) {
        size_t cut = kMaxPath;
        while (cut > 0 && (static_cast<unsigned char>(path[cut]) & 0xc0) == 0x80) --cut;
        return path.substr(0, cut) + "...";
      }
    }
    return path;
  }

  std::string_view text_;
  size_t stop_;
  std::vector<Frame> frames_;
};

}  // namespace

size_t Text::length() const {
  if (!escaped) return raw.size();
  size_t length = raw.size();
  for (size_t i = raw.find('\\'); i != std::string_view::npos; i = raw.find('\\', i)) {
    if (raw[i + 1] != 'u') {
      length -= 1;
      i += 2;
      continue;
    }
    size_t taken = 0;
    const uint32_t code = code_at(raw.data() + i, &taken);
    length -= taken - (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4);
    i += taken;
  }
  return length;
}

bool Text::is(std::string_view plain) const {
  return escaped ? unescape(raw) == plain : raw == plain;
}

std::string Text::str() const {
  return escaped ? unescape(raw) : std::string(raw);
}

std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (size_t i = 0; i < raw.size();) {
    const size_t next = std::min(raw.find('\\', i), raw.size());
    out.append(raw, i, next - i);
    i = next;
    if (i >= raw.size()) break;
    if (raw[i + 1] != 'u') {
      out += simple_escape(raw[i + 1]);
      i += 2;
      continue;
    }
    size_t taken = 0;
    append_utf8(out, code_at(raw.data() + i, &taken));
    i += taken;
  }
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
        append_escaped(out, text[i]);
      } else {
        out += text[i];
      }
      ++i;
      continue;
    }
    const size_t length = utf8_length(text.substr(i));
    out += length == 0 ? kReplacement : text.substr(i, length);
    i += std::max<size_t>(length, 1);
  }
  out += '"';
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::None:
      return "nothing";
    case Type::Null:
      return "null";
    case Type::Bool:
      return "a boolean";
    case Type::Number:
      return "a number";
    case Type::String:
      return "a string";
    case Type::Array:
      return "an array";
    case Type::Object:
      return "an object";
  }
  return "nothing";
}

std::string_view words_of(Fault fault) {
  switch (fault) {
    case Fault::None:
      return "nothing is wrong";
    case Fault::Utf8:
      return "the text is not valid UTF-8";
    case Fault::Empty:
      return "there is no text at all";
    case Fault::UnexpectedEnd:
      return "the text ends too early";
    case Fault::UnexpectedByte:
      return "a JSON value was expected";
    case Fault::ExpectedKey:
      return "a key in double quotes was expected";
    case Fault::ExpectedColon:
      return "a colon was expected after the key";
    case Fault::ExpectedCommaOrBrace:
      return "a comma or `}` was expected";
    case Fault::ExpectedCommaOrBracket:
      return "a comma or `]` was expected";
    case Fault::BadLiteral:
      return "`true`, `false` or `null` was expected";
    case Fault::BadNumber:
      return "the number is malformed";
    case Fault::NumberTooLong:
      return "the number has too many digits";
    case Fault::NumberTooBig:
      return "the number is too big for a double";
    case Fault::ControlCharacter:
      return "a string has a raw control character, which must be escaped";
    case Fault::BadEscape:
      return "a string has an unknown escape";
    case Fault::LoneSurrogate:
      return "a string has half of a surrogate pair";
    case Fault::TooDeep:
      return "values are nested too deeply";
    case Fault::TrailingBytes:
      return "something follows the end of the value";
  }
  return "the text is broken";
}

std::string path_at(std::string_view text, size_t offset) {
  return PathWalk(text, offset).run();
}

std::string position_at(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const size_t line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const size_t newline = before.rfind('\n');
  const size_t column = newline == std::string_view::npos ? offset + 1 : offset - newline;
  return fmt::format("line {}, column {} (byte {})", line, column, offset);
}

namespace {

Error fault_at(Outcome outcome, std::string_view text, size_t offset, Fault fault) {
  const std::string path = path_at(text, offset);
  return Error(outcome,
               fmt::format("not valid JSON at {}{}{}: {}", position_at(text, offset),
                           path.empty() ? "" : ", in ", path, words_of(fault)),
               path);
}

}  // namespace

Error error_of(Outcome outcome, std::string_view text, const Reader& reader) {
  return fault_at(outcome, text, reader.at(), reader.fault());
}

Error utf8_error(Outcome outcome, std::string_view text) {
  size_t offset = 0;
  while (offset < text.size()) {
    const size_t length = utf8_length(text.substr(offset));
    if (length == 0) break;
    offset += length;
  }
  return fault_at(outcome, text, offset, Fault::Utf8);
}

std::string found_at(std::string_view text, size_t offset) {
  Reader reader(text, offset, 0);
  const Type type = reader.peek();
  std::string_view digits;
  if (type == Type::Number && reader.number(&digits)) {
    return fmt::format("the number {}", digits.substr(0, 40));
  }
  return std::string(name_of(type));
}

Error mismatch(Outcome outcome, std::string_view text, size_t offset, std::string_view expected) {
  const std::string path = path_at(text, offset);
  return Error(outcome,
               fmt::format("`{}` must be {}, found {} at {}", path, expected,
                           found_at(text, offset), position_at(text, offset)),
               path);
}

}  // namespace sluice::json
