#include "wire/splitter.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "wire/characters.h"

namespace sluice::tokens {
namespace {

// Letters that may be the head of a word, and those that may be its tail.
constexpr Kinds kTail = Kinds::of(Kind::Lower, Kind::Letter, Kind::Mark);

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Bytes of (?i:'s|'t|'re|'ve|'m|'ll|'d) at `at`; 0: there is none.
size_t contraction_size(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at, 3);
  if (rest.size() < 2 || rest[0] != '\'') return 0;
  const char first = lower(rest[1]);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (rest.size() < 3) return 0;
  const char second = lower(rest[2]);
  const bool two = second == 'e' ? first == 'r' || first == 'v' : second == 'l' && first == 'l';
  constexpr std::string_view kLongS = "\xc5\xbf";  // its capital is S
  return two || rest.substr(1) == kLongS ? 3 : 0;
}

// \p{N}{1,3}
size_t digits_end(std::string_view text, size_t begin) {
  size_t end = begin;
  for (int i = 0; i < 3 && end < text.size(); ++i) {
    const Character next = character_at(text, end);
    if (next.kind != Kind::Number) break;
    end += next.size;
  }
  return end;
}

//  ?[^\s\p{L}\p{N}]+ and what of `after` follows it; `begin` itself if there is no sign.
size_t signs_end(std::string_view text, size_t begin, std::string_view after) {
  const size_t first = begin + (text[begin] == ' ' ? 1 : 0);
  const size_t end = run_end(text, first, kSigns);
  if (end == first) return begin;
  return std::min(text.find_first_not_of(after, end), text.size());
}

// \s*[\r\n]+|\s+(?!\S)|\s+ : up to the last new line; else all but the last space, which belongs to
// what follows it.
size_t spaces_end(std::string_view text, size_t begin) {
  size_t last = begin;
  size_t end = begin;
  size_t line = begin;
  while (end < text.size()) {
    const Character next = character_at(text, end);
    if (!kSpaces.has(next.kind)) break;
    last = end;
    end += next.size;
    if (next.kind == Kind::NewLine) line = end;
  }
  if (line > begin) return line;
  return end == text.size() || last == begin ? end : last;
}

// [Upper, Letter, Mark]*[Lower, Letter, Mark]+ ; with `capitals` also [Upper]+ . `begin` itself if
// there is no such word. The first part is greedy: a head that no tail follows ends at the last
// character that can be a tail.
size_t cased_word_end(std::string_view text, size_t begin, bool capitals) {
  size_t head = begin;
  size_t word = begin;
  while (head < text.size()) {
    const Character next = character_at(text, head);
    if (next.kind == Kind::Lower) return run_end(text, head, kTail);
    const bool tail = kTail.has(next.kind);
    if (!tail && next.kind != Kind::Upper) break;
    head += next.size;
    if (tail) word = head;
  }
  return word == begin && capitals ? head : word;
}

size_t with_contraction(std::string_view text, size_t word) {
  return word + contraction_size(text, word);
}

}  // namespace

size_t o200k_piece_end(std::string_view text, size_t begin) {
  const Character first = character_at(text, begin);
  const size_t second = begin + first.size;
  if (kLetters.has(first.kind)) return with_contraction(text, cased_word_end(text, begin, true));
  if (first.kind == Kind::Number) return digits_end(text, begin);
  if (first.kind != Kind::NewLine) {
    // A mark is a word by itself before it is what precedes one that is all capitals.
    const bool mark = first.kind == Kind::Mark;
    const size_t word = cased_word_end(text, second, !mark);
    if (word > second || mark) return with_contraction(text, word);
    if (const size_t signs = signs_end(text, begin, "\r\n/"); signs > begin) return signs;
  }
  return spaces_end(text, begin);
}

size_t cl100k_piece_end(std::string_view text, size_t begin) {
  const Character first = character_at(text, begin);
  if (const size_t contraction = contraction_size(text, begin); contraction > 0) {
    return begin + contraction;
  }
  if (kLetters.has(first.kind)) return run_end(text, begin, kLetters);
  if (first.kind == Kind::Number) return digits_end(text, begin);
  if (first.kind != Kind::NewLine) {
    const size_t second = begin + first.size;
    if (const size_t word = run_end(text, second, kLetters); word > second) return word;
    if (const size_t signs = signs_end(text, begin, "\r\n"); signs > begin) return signs;
  }
  // \s++$ comes first here: spaces at the end of the text are one piece, new lines or not.
  const size_t spaces = run_end(text, begin, kSpaces);
  return spaces == text.size() ? spaces : spaces_end(text, begin);
}

}  // namespace sluice::tokens
