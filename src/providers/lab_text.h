// Plausible English from a seed, and the lab's way of counting tokens.
//
// A token is at most four bytes of a word together with the blank before it, cut at character
// boundaries. One rule counts prompts and cuts replies, so the counts of a reply can be checked by
// hand: every streamed delta is one token.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::providers {

// SplitMix64: all that is random in the lab is drawn from this, seeded by the request.
class LabRandom {
 public:
  explicit LabRandom(uint64_t seed) : state_(seed) {}
  uint64_t next();
  // 0 <= result < bound. Requires: bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }

 private:
  uint64_t state_;
};

// FNV-1a, finished by a mixer.
uint64_t lab_hash(std::string_view text, uint64_t seed);

// Length in bytes of the token `text` begins with; 0 at the end.
size_t lab_token_length(std::string_view text);
int64_t lab_count_tokens(std::string_view text);
// The longest beginning of `text` that has at most `tokens` tokens.
std::string_view lab_first_tokens(std::string_view text, int64_t tokens);

// Sentences of exactly `tokens` tokens.
std::string lab_prose(LabRandom& random, int64_t tokens);
// One word, without blanks.
std::string_view lab_word(LabRandom& random);

}  // namespace sluice::providers
