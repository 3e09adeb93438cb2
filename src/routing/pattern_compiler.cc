#include <optional>
#include <string>

#include "routing/pattern.h"

namespace sluice::routing {

// Recursive descent: alternatives of sequences of repeated atoms. A piece of program is a list of
// steps whose distances are relative, so that pieces are simply put behind each other.
class PatternCompiler {
 public:
  explicit PatternCompiler(std::string_view text) : text_(text) {}

  Result<Pattern> compile() {
    Code code = alternatives();
    if (!fault_ && at_ < text_.size()) fail("')' without '('", at_);
    code.push_back({.kind = Step::Kind::Match});
    if (!fault_ && code.size() > Pattern::kMaxProgram) fail("the pattern is too large", 0);
    if (fault_) return Error(Outcome::BadRequest, *std::move(fault_));
    pattern_.steps_ = std::move(code);
    return std::move(pattern_);
  }

 private:
  using Step = Pattern::Step;
  using Ranges = Pattern::Ranges;
  using Code = std::vector<Step>;

  void fail(const std::string& why, size_t at) {
    if (!fault_) fault_ = why + " (at byte " + std::to_string(at) + " of the pattern)";
  }
  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!at(c)) return false;
    ++at_;
    return true;
  }

  static void append(Code& code, const Code& more) {
    code.insert(code.end(), more.begin(), more.end());
  }
  static int32_t length(const Code& code) { return static_cast<int32_t>(code.size()); }

  Code alternatives() {
    Code left = sequence();
    while (!fault_ && take('|')) {
      const Code right = sequence();
      Code both{{.kind = Step::Kind::Split, .a = 1, .b = length(left) + 2}};
      append(both, left);
      both.push_back({.kind = Step::Kind::Jump, .a = length(right) + 1});
      append(both, right);
      left = std::move(both);
    }
    return left;
  }

  Code sequence() {
    Code code;
    while (!fault_ && at_ < text_.size() && !at('|') && !at(')')) append(code, repeated());
    return code;
  }

  Code repeated() {
    Code code = atom();
    if (fault_ || at_ == text_.size()) return code;
    const int32_t inside = length(code);
    Code out;
    if (take('*')) {
      out.push_back({.kind = Step::Kind::Split, .a = 1, .b = inside + 2});
      append(out, code);
      out.push_back({.kind = Step::Kind::Jump, .a = -inside - 1});
    } else if (take('+')) {
      out = code;
      out.push_back({.kind = Step::Kind::Split, .a = -inside, .b = 1});
    } else if (take('?')) {
      out.push_back({.kind = Step::Kind::Split, .a = 1, .b = inside + 1});
      append(out, code);
    } else {
      return code;
    }
    take('?');  // lazy: the same question
    if (at('*') || at('+') || at('?')) fail("nothing to repeat", at_);
    return out;
  }

  Code atom() {
    const size_t begin = at_;
    switch (text_[at_]) {
      case '(':
        return group();
      case '[':
        return character_class();
      case '\\':
        return escape();
      case '.':
        ++at_;
        return {{.kind = Step::Kind::Any}};
      case '^':
        ++at_;
        return {{.kind = Step::Kind::Begin}};
      case '$':
        ++at_;
        return {{.kind = Step::Kind::End}};
      case '*':
      case '+':
      case '?':
        fail("nothing to repeat", begin);
        return {};
      case '{':
        fail("counted repetition is not known here; \\{ is the brace itself", begin);
        return {};
      default:
        return literal(Pattern::next_code_point(text_, at_));
    }
  }

  Code group() {
    const size_t begin = at_++;
    if (take('?') && !take(':')) {
      fail("of the groups that begin with (? only (?: is known", begin);
      return {};
    }
    Code code = alternatives();
    if (!fault_ && !take(')')) fail("'(' without ')'", begin);
    return code;
  }

  static Code literal(uint32_t c) {
    return {{.kind = Step::Kind::Char, .a = static_cast<int32_t>(c)}};
  }

  Code one_of(Ranges ranges, bool negated) {
    pattern_.classes_.push_back(std::move(ranges));
    return {{.kind = Step::Kind::Class,
             .negated = negated,
             .a = static_cast<int32_t>(pattern_.classes_.size() - 1)}};
  }

  Code escape() {
    const size_t begin = at_++;
    if (at_ == text_.size()) {
      fail("a lone backslash", begin);
      return {};
    }
    const char c = text_[at_];
    if (std::optional<Ranges> ranges = named_class(c)) {
      ++at_;
      return one_of(*std::move(ranges), false);
    }
    const std::optional<uint32_t> plain = escaped_literal(begin);
    return plain ? literal(*plain) : Code{};
  }

  // At the character behind the backslash.
  std::optional<uint32_t> escaped_literal(size_t begin) {
    const char c = text_[at_++];
    if (c == 't') return '\t';
    if (c == 'n') return '\n';
    if (c == 'r') return '\r';
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!word && static_cast<unsigned char>(c) < 0x80) return static_cast<uint32_t>(c);
    fail(std::string("\\") + (static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "") +
             " is not known in a pattern",
         begin);
    return std::nullopt;
  }

  // What \d \w \s stand for in JavaScript, and their opposites.
  static std::optional<Ranges> named_class(char c) {
    switch (c) {
      case 'd':
        return Ranges{{'0', '9'}};
      case 'w':
        return Ranges{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
      case 's':
        return Ranges{{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x2028, 0x2029}, {0xfeff, 0xfeff}};
      case 'D':
      case 'W':
      case 'S':
        return others(*named_class(static_cast<char>(c + 32)));
      default:
        return std::nullopt;
    }
  }

  // All code points that `ranges`, which are in order, leave out.
  static Ranges others(const Ranges& ranges) {
    Ranges out;
    uint32_t from = 0;
    for (const auto& [first, last] : ranges) {
      if (first > from) out.emplace_back(from, first - 1);
      from = last + 1;
    }
    out.emplace_back(from, 0x10ffff);
    return out;
  }

  Code character_class() {
    const size_t begin = at_++;
    const bool negated = take('^');
    Ranges ranges;
    while (!fault_ && at_ < text_.size() && !at(']')) class_item(ranges);
    if (!fault_ && !take(']')) fail("'[' without ']'", begin);
    if (!fault_ && ranges.empty()) fail("an empty [ ]", begin);
    return one_of(std::move(ranges), negated);
  }

  // One character, a range of them, or \d and its like.
  void class_item(Ranges& ranges) {
    const size_t begin = at_;
    if (at('\\') && at_ + 1 < text_.size()) {
      if (std::optional<Ranges> named = named_class(text_[at_ + 1])) {
        at_ += 2;
        ranges.insert(ranges.end(), named->begin(), named->end());
        if (at('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']')
          fail("a range from more than one character", begin);
        return;
      }
    }
    const std::optional<uint32_t> first = class_character();
    std::optional<uint32_t> last = first;
    if (first && at('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
      ++at_;
      last = class_character();
    }
    if (!first || !last) return;
    if (*last < *first) fail("a range that ends before it begins", begin);
    ranges.emplace_back(*first, *last);
  }

  std::optional<uint32_t> class_character() {
    if (!at('\\')) return Pattern::next_code_point(text_, at_);
    const size_t begin = at_++;
    if (at_ < text_.size()) return escaped_literal(begin);
    fail("a lone backslash", begin);
    return std::nullopt;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::optional<std::string> fault_;
  Pattern pattern_;
};

Result<Pattern> Pattern::compile(std::string_view text) {
  if (text.size() > kMaxLength) {
    return Error(Outcome::BadRequest,
                 "the pattern is longer than " + std::to_string(kMaxLength) + " bytes");
  }
  return PatternCompiler(text).compile();
}

}  // namespace sluice::routing
