// A regular expression that takes time in proportion to text times pattern, whatever either holds
// (Thompson's simulation: no backtracking). Finds a match anywhere unless anchored; case counts.
//
// Known: literals, . [abc] [^a-z] ( ) (?: ) | * + ? ^ $ \d \D \w \W \s \S \t \n \r, and a backslash
// before any punctuation. `.` is any character but a line end. Lazy forms (*? +? ??) are read as
// the greedy ones: only yes or no is asked. What else JavaScript knows ({m,n}, \b, lookaround,
// back-references) is refused, so that no rule quietly means something else.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::routing {

class Pattern {
 public:
  static constexpr size_t kMaxLength = 512;             // of the pattern, bytes
  static constexpr size_t kMaxProgram = 512;            // steps it may compile to
  static constexpr size_t kMaxText = size_t{16} << 10;  // longer texts match nothing

  // BadRequest, saying what is not known and where.
  static Result<Pattern> compile(std::string_view text);

  // UTF-8; a byte that is none stands for U+FFFD.
  bool found_in(std::string_view text) const;

 private:
  friend class PatternCompiler;
  friend class PatternRun;
  struct Step {
    enum class Kind : uint8_t { Char, Any, Class, Split, Jump, Begin, End, Match };
    Kind kind = Kind::Match;
    bool negated = false;  // Class
    // Char: the code point; Class: its number; Split, Jump: the distance to the next step.
    int32_t a = 0;
    int32_t b = 0;  // Split: the distance to the other one
  };
  using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;  // code points, both ends included

  // The character at `at`, which moves behind it.
  static uint32_t next_code_point(std::string_view text, size_t& at);
  bool takes(const Step& step, uint32_t c) const;

  std::vector<Step> steps_;
  std::vector<Ranges> classes_;
};

}  // namespace sluice::routing
