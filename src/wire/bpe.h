// Byte-pair merging: the bytes of a piece become tokens, always by the merge of the lowest rank
// first, the leftmost of several.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/vocabulary.h"

namespace sluice::tokens {

// The merges that are possible in a long piece, the lowest rank first: a radix heap. A merge only
// makes others of higher ranks possible, so what comes out never falls, and an entry moves at most
// once for each bit of a rank.
class MergeQueue {
 public:
  struct Entry {
    Token token;  // what it would make
    uint32_t at;  // where its left half begins
  };
  // Requires: token is above that of the last batch.
  void push(Entry entry) { buckets_[bucket_of(entry.token)].push_back(entry); }
  // All of the lowest token, as they were pushed, which is from left to right: all merges that make
  // the later one of its halves came in one batch. Valid until the next call. Empty: no more.
  std::span<const Entry> pop();
  void clear();

 private:
  size_t bucket_of(Token token) const;

  std::array<std::vector<Entry>, IdTable::kIdBits + 1> buckets_;
  Token last_ = 0;
};

// Merges one piece after the other; keeps its memory between them. Of one thread.
class Merger {
 public:
  // The longest piece it takes; the time it needs is O(n log(vocabulary)) and the memory 40 bytes a
  // byte.
  static constexpr size_t kLongest = 256 << 10;

  // Valid until the next call. Requires: 0 < piece.size() <= kLongest.
  std::span<const Token> merge(const Vocabulary& vocabulary, std::string_view piece);

 private:
  std::span<const Token> merge_short(const Vocabulary& vocabulary);
  std::span<const Token> merge_long(const Vocabulary& vocabulary);
  void join(const Vocabulary& vocabulary, uint32_t at);
  void look_at(const Vocabulary& vocabulary, uint32_t at);

  std::vector<Token> tokens_;     // by where they begin; of a long piece with gaps
  std::vector<Token> next_made_;  // what the token there and its neighbour become, or kNoToken
  // Of a long piece: where the neighbours begin.
  std::vector<uint32_t> before_;
  std::vector<uint32_t> after_;
  MergeQueue queue_;
};

}  // namespace sluice::tokens
