// An embeddings call of an OpenAI client, for a target that does not speak the dialect: its inputs
// as text, and the answer from vectors. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::openai {

struct EmbeddingsCall {
  std::string model;
  std::vector<std::string> inputs;
  bool base64 = false;
  std::vector<std::string> unmapped;  // other fields that were asked for: "dimensions"
};

// Reads a /v1/embeddings body. Error BadRequest: what decode_request refuses, an unknown
// encoding_format, and `input` as tokens, which only the model that made them can read.
Result<EmbeddingsCall> read_embeddings(std::string_view body);

struct Embeddings {
  std::span<const std::string_view> vectors;  // JSON arrays of numbers that fit a float
  std::string_view model;
  std::optional<int64_t> tokens;  // unknown: no usage is written
};

// The answer, in the order of the vectors. As base64 a vector is its numbers packed as float32,
// little-endian: 4 bytes each (acceptance: the official SDKs ask for it by default).
std::string write_embeddings(const Embeddings& embeddings, bool base64);

}  // namespace sluice::openai
