// The tokens of a byte-pair tokenizer. A token's id is its rank: the lower, the earlier it is made.
//
// Two tokens side by side become a third if they are the halves of that token's own last step.
// Other ways to cut it never come up: what happens inside a token's bytes before a merge reaches
// across their border is what happens to them alone (the script that packs the ranks checks that
// each token has such a last step, of halves with lower ranks). So one pair of ids a token says all
// about merging, and it costs one lookup instead of a hash of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/id_table.h"

namespace sluice::tokens {

using Token = uint32_t;
inline constexpr Token kNoToken = IdTable::kNone;

// Immutable, so any thread may read it.
class Vocabulary {
 public:
  // The first tokens are the single bytes.
  static constexpr size_t kBytes = 256;

  // Reads what scripts/make_tokenizers.py packs: zstd of the 256 single bytes in the order of rank,
  // then for the tokens after them six planes: low, middle and high byte of the rank of each left,
  // and of each right, half. Error BadRequest: it is something else.
  static Result<Vocabulary> unpack(std::string_view packed);

  size_t size() const { return begins_.size() - 1; }
  Token of_byte(uint8_t byte) const { return of_byte_[byte]; }
  // What the two become side by side; kNoToken: they stay two.
  Token merged(Token left, Token right) const {
    if ((left | right) < kBytes) return of_bytes_[left * kBytes + right];
    return merges_.find(uint64_t{left} << IdTable::kIdBits | right);
  }
  // The token of exactly these bytes, or kNoToken.
  Token find(std::string_view bytes) const;
  // Requires: token < size().
  std::string_view bytes_of(Token token) const {
    return std::string_view(bytes_).substr(begins_[token], begins_[token + 1] - begins_[token]);
  }

 private:
  explicit Vocabulary(size_t size);
  void join(Token left, Token right);
  void add(std::string_view left, std::string_view right);

  std::vector<Token> of_bytes_;  // what two single bytes become: half of all lookups
  IdTable merges_;               // and what others do
  IdTable whole_;                // by hash of the bytes
  std::string bytes_;
  std::vector<uint32_t> begins_;  // in bytes_, of each token and of the end
  size_t longest_ = 0;
  Token of_byte_[256] = {};
};

}  // namespace sluice::tokens
