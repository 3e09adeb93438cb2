#include "providers/lab_models.h"

#include <algorithm>
#include <array>

namespace sluice::providers {
namespace {

constexpr LabPrice kChatPrice{.input = 1'000,
                              .cached_input = 100,
                              .output = 4'000,
                              .cache_write = 1'250,
                              .cache_write_1h = 2'000};
constexpr LabPrice kReasoningPrice{.input = 2'000,
                                   .cached_input = 200,
                                   .output = 8'000,
                                   .cache_write = 2'500,
                                   .cache_write_1h = 4'000};
constexpr LabPrice kClaudePrice{.input = 3'000,
                                .cached_input = 300,
                                .output = 15'000,
                                .cache_write = 3'750,
                                .cache_write_1h = 6'000};
constexpr LabPrice kEmbedPrice{.input = 20, .cached_input = 20, .output = 0};

constexpr std::array<LabModel, 11> kModels = {{
    {.name = "chat", .doc = "answers in English, 24 to 63 tokens", .price = kChatPrice},
    {.name = "fast", .doc = "answers in 8 tokens", .price = kChatPrice, .tokens = 8},
    {.name = "slow", .doc = "one token every 100 ms", .price = kChatPrice, .interval_ms = 100},
    {.name = "reasoning",
     .doc = "thinks for 64 tokens first; refuses `max_tokens` and a `temperature` other than 1",
     .price = kReasoningPrice,
     .reasoning = 64},
    {.name = "tools",
     .doc = "calls every tool it is given, in parallel where allowed",
     .price = kChatPrice,
     .always_calls = true},
    {.name = "echo",
     .doc = "repeats the last message of the user",
     .price = kChatPrice,
     .repeats = true},
    {.name = "small-context",
     .doc = "as `chat`, with a context of 256 tokens",
     .price = kChatPrice,
     .context = 256},
    {.name = "claude",
     .doc = "as Claude: thinks for 48 tokens when asked to, keeps what `cache_control` marks",
     .price = kClaudePrice,
     .context = 200'000,
     .most_output = 64'000,
     .thinks = 48},
    {.name = "claude-modern",
     .doc = "as `claude`, with the rules of the models after Claude Opus 4.6: refuses sampling "
            "parameters, prefill and `thinking: enabled`; takes system messages among the turns",
     .price = kClaudePrice,
     .context = 200'000,
     .most_output = 128'000,
     .thinks = 48,
     .modern = true},
    {.name = "embed",
     .doc = "embeddings of 1,536 dimensions",
     .price = kEmbedPrice,
     .context = 8'192,
     .dimensions = 1'536},
    {.name = "embed-large",
     .doc = "embeddings of 3,072 dimensions",
     .price = kEmbedPrice,
     .context = 8'192,
     .dimensions = 3'072},
}};

}  // namespace

std::span<const LabModel> lab_models() {
  return kModels;
}

std::string_view lab_short_name(std::string_view name) {
  constexpr std::string_view kPrefix = "lab/";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return name;
}

const LabModel* lab_model(std::string_view name) {
  const std::string_view wanted = lab_short_name(name);
  const auto* const found = std::ranges::find(kModels, wanted, &LabModel::name);
  return found == kModels.end() ? nullptr : found;
}

}  // namespace sluice::providers
