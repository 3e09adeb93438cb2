#include "wire/text_estimate.h"

#include <algorithm>
#include <cstddef>

namespace sluice::tokens {
namespace {

enum class Run : uint8_t { Space, NewLine, Letter, Digit, Sign, Wide2, Wide3 };

Run run_of(unsigned char c) {
  if (c >= 0xe0) return Run::Wide3;
  if (c >= 0x80) return Run::Wide2;
  if (c == '\n') return Run::NewLine;
  if (c <= ' ') return Run::Space;
  if (c >= '0' && c <= '9') return Run::Digit;
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return Run::Letter;
  return Run::Sign;
}

// The end of the run of one kind that begins at `begin`. Bytes that continue a character belong to
// it, blanks to the new line before them.
size_t run_end(std::string_view text, size_t begin, Run run) {
  size_t i = begin + 1;
  for (; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool continues = run >= Run::Wide2 && (c & 0xc0) == 0x80;
    const bool blank = run == Run::NewLine && c <= ' ';
    if (!continues && !blank && run_of(c) != run) break;
  }
  return i;
}

// In hundredths of a token.
int64_t weight_of(Run run, int64_t length) {
  constexpr int64_t kLettersInOne = 8;
  constexpr int64_t kLettersPerMore = 3;
  switch (run) {
    case Run::Space:
      return length > 1 ? 100 : 0;  // one belongs to the word after it
    case Run::NewLine:
      return 100;
    case Run::Letter:
      return 100 * (1 + std::max<int64_t>(0, length - kLettersInOne + kLettersPerMore - 1) /
                            kLettersPerMore);
    case Run::Digit:
      return 100 * ((length + 1) / 2);
    case Run::Sign:
      return 100 + 30 * (length - 1);
    case Run::Wide2:
      return 100 * ((length / 2 + 1) / 2);
    case Run::Wide3:
      return 115 * (length + 2) / 3;
  }
  return 0;
}

}  // namespace

int64_t estimate_text(std::string_view text) {
  int64_t hundredths = 0;
  for (size_t i = 0; i < text.size();) {
    const Run run = run_of(static_cast<unsigned char>(text[i]));
    const size_t end = run_end(text, i, run);
    hundredths += weight_of(run, static_cast<int64_t>(end - i));
    i = end;
  }
  return (hundredths + 99) / 100;
}

}  // namespace sluice::tokens
