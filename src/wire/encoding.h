// OpenAI's public tokenizers: a text cut into pieces by a pattern, each piece merged by rank. What
// looks like a control token ("<|endoftext|>") is text here, as it is in what a client sends.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/bpe.h"
#include "wire/vocabulary.h"

namespace sluice::tokens {

enum class EncodingName : uint8_t { O200kBase, Cl100kBase };
inline constexpr size_t kEncodings = 2;

struct Count {
  int64_t tokens = 0;
  bool exact = true;  // what the model's own tokenizer says; false: an estimate, or part of it is

  Count& operator+=(const Count& more) {
    tokens += more.tokens;
    exact = exact && more.exact;
    return *this;
  }
  friend bool operator==(const Count&, const Count&) = default;
};

// Immutable, so any thread may use it, each with a Merger of its own.
class Encoding {
 public:
  // From the ranks in the program: 30 ms, 10 MB. Errors are bugs: the data is not what was put in.
  static Result<std::unique_ptr<const Encoding>> load(EncodingName name);

  // Exact but where one piece is longer than Merger::kLongest (a run of letters without a break):
  // that one is counted in parts, which are at most a few tokens off each.
  Count count(std::string_view text, Merger& merger) const;
  // Appends the tokens; nothing is lost: their bytes are the text.
  void encode(std::string_view text, Merger& merger, std::vector<Token>& out) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  using PieceEnd = size_t (*)(std::string_view text, size_t begin);

  Encoding(Vocabulary vocabulary, PieceEnd piece_end)
      : vocabulary_(std::move(vocabulary)), piece_end_(piece_end) {}
  template <class OnTokens>
  bool each_piece(std::string_view text, Merger& merger, const OnTokens& on_tokens) const;

  Vocabulary vocabulary_;
  PieceEnd piece_end_;
};

}  // namespace sluice::tokens
