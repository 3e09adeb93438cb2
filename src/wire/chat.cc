#include "wire/chat.h"

#include <algorithm>

namespace sluice::chat {
namespace {

constexpr int64_t kBytesPerToken = 4;

}  // namespace

std::string_view name_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::Chat:
      return "chat";
    case Endpoint::Completions:
      return "completions";
    case Endpoint::Embeddings:
      return "embeddings";
    case Endpoint::Responses:
      return "responses";
    case Endpoint::Messages:
      return "messages";
    case Endpoint::CountTokens:
      return "count_tokens";
  }
  return "chat";
}

int64_t estimate_tokens(int64_t text_bytes) {
  return (std::max<int64_t>(text_bytes, 0) + kBytesPerToken - 1) / kBytesPerToken;
}

Usage estimate_usage(int64_t prompt_bytes, int64_t output_bytes,
                     std::optional<int64_t> max_output) {
  Usage usage;
  usage.plain_input = estimate_tokens(prompt_bytes);
  usage.visible_output = estimate_tokens(output_bytes);
  if (max_output) {
    usage.visible_output = std::min(usage.visible_output, std::max<int64_t>(*max_output, 0));
  }
  return usage;
}

}  // namespace sluice::chat
