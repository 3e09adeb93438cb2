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

ServiceTier service_tier_named(std::string_view word) {
  if (word.empty() || word == "auto" || word == "standard_only") return ServiceTier::Unsaid;
  if (word == "default") return ServiceTier::Standard;
  for (const ServiceTier tier : {ServiceTier::Standard, ServiceTier::Batch, ServiceTier::Flex,
                                 ServiceTier::Priority, ServiceTier::Fast}) {
    if (name_of(tier) == word) return tier;
  }
  return ServiceTier::Other;
}

std::string_view name_of(ServiceTier tier) {
  constexpr std::string_view kNames[] = {"",         "standard", "batch", "flex",
                                         "priority", "fast",     "other"};
  return kNames[static_cast<size_t>(tier)];
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
