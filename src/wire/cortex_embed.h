// Snowflake's embeddings (POST /api/v2/cortex/inference:embed) as bytes and as values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::cortex {

// {"model":"snowflake-arctic-embed-l-v2.0","text":["a","b"]}
std::string write_embed_request(std::span<const std::string> inputs, std::string_view model);

struct EmbedReply {
  // JSON arrays of numbers, one for each input, in the order of the inputs: views into the body.
  std::vector<std::string_view> vectors;
  std::string model;
  std::optional<int64_t> tokens;  // total_tokens; unknown if the upstream does not say
};

// Reads a reply to a call of `inputs` texts, which it borrows. `embedding` is an array inside an
// array here; a flat one is read as well. Errors: what the body says instead of vectors, or
// UpstreamBadReply where a vector is missing, stands there twice or is none.
Result<EmbedReply> read_embed_reply(std::string_view body, size_t inputs);

// One caller's part of a call that several share.
struct EmbedShare {
  size_t inputs = 0;
  int64_t estimated_tokens = 0;
};
// The callers' own replies, in their order. Tokens are divided by the estimates, by largest
// remainder: their sum is exactly the whole. Requires: the inputs of the shares are the vectors.
std::vector<EmbedReply> split_embed_reply(const EmbedReply& whole,
                                          std::span<const EmbedShare> shares);

}  // namespace sluice::cortex
