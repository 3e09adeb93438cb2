#include "wire/openai_fields.h"

#include <array>
#include <limits>

namespace sluice::openai {
namespace {

constexpr uint8_t bit(chat::Endpoint endpoint) {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(endpoint));
}
constexpr uint8_t kChat = bit(chat::Endpoint::Chat);
constexpr uint8_t kText = bit(chat::Endpoint::Completions);
constexpr uint8_t kEmbed = bit(chat::Endpoint::Embeddings);
constexpr uint8_t kBoth = kChat | kText;
constexpr uint8_t kAll = kBoth | kEmbed;
constexpr int64_t kAny = std::numeric_limits<int64_t>::max();

// Bounds are those every OpenAI model shares; narrower ones are the upstream's to check.
// `max_tokens` 0 on completions is how evaluation tools ask for the prompt's own log probabilities.
constexpr std::array<Field, kFieldCount> kFields{{
    {"model", kAll, Rule::Model},
    {"messages", kChat, Rule::Messages},
    {"prompt", kText, Rule::Prompt},
    {"input", kEmbed, Rule::Input},
    {"stream", kBoth, Rule::Stream},
    {"stream_options", kBoth, Rule::StreamOptions},
    {"n", kBoth, Rule::Choices, 1, 128},
    {"max_tokens", kChat, Rule::MaxTokens, 1, kAny},
    {"max_tokens", kText, Rule::MaxTokens, 0, kAny},
    {"max_completion_tokens", kChat, Rule::MaxCompletionTokens, 1, kAny},
    {"reasoning_effort", kChat, Rule::ReasoningEffort},
    {"safety_identifier", kAll, Rule::SafetyIdentifier},
    {"user", kAll, Rule::User},
    {"service_tier", kChat, Rule::ServiceTier},
    {"tools", kChat, Rule::Tools},
    {"functions", kChat, Rule::Array},
    {"temperature", kBoth, Rule::Number, 0, 2},
    {"top_p", kBoth, Rule::Number, 0, 1},
    {"frequency_penalty", kBoth, Rule::Number, -2, 2},
    {"presence_penalty", kBoth, Rule::Number, -2, 2},
    {"logprobs", kChat, Rule::Boolean},
    {"logprobs", kText, Rule::Integer, 0, kAny},
    {"top_logprobs", kChat, Rule::Integer, 0, kAny},
    {"best_of", kText, Rule::Integer, 1, kAny},
    {"echo", kText, Rule::Boolean},
    {"seed", kBoth, Rule::Integer, -kAny, kAny},
    {"stop", kBoth, Rule::Stop},
    {"logit_bias", kBoth, Rule::Object},
    {"metadata", kChat, Rule::Object},
    {"response_format", kChat, Rule::Object},
    {"modalities", kChat, Rule::Array},
    {"parallel_tool_calls", kChat, Rule::Boolean},
    {"store", kChat, Rule::Boolean},
    {"dimensions", kEmbed, Rule::Integer, 1, kAny},
    {"encoding_format", kEmbed, Rule::String},
}};

constexpr size_t kSlots = 128;
constexpr uint8_t kFree = 0xff;

constexpr size_t slot_of(std::string_view name) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(name[i]); };
  return (name.size() * 11 + byte(0) * 5u + byte(name.size() - 1)) % kSlots;
}

// Open addressing: a key costs a hash of three bytes and about one comparison.
constexpr std::array<uint8_t, kSlots> make_slots() {
  std::array<uint8_t, kSlots> slots{};
  for (uint8_t& slot : slots) slot = kFree;
  for (size_t i = 0; i < kFields.size(); ++i) {
    size_t slot = slot_of(kFields[i].name);
    while (slots[slot] != kFree) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<uint8_t>(i);
  }
  return slots;
}
constexpr std::array<uint8_t, kSlots> kSlotTable = make_slots();

}  // namespace

const Field* find_field(chat::Endpoint endpoint, std::string_view name, uint32_t* index) {
  if (name.empty()) return nullptr;
  for (size_t slot = slot_of(name); kSlotTable[slot] != kFree; slot = (slot + 1) % kSlots) {
    const Field& field = kFields[kSlotTable[slot]];
    if (field.name == name && (field.endpoints & bit(endpoint)) != 0) {
      *index = kSlotTable[slot];
      return &field;
    }
  }
  return nullptr;
}

}  // namespace sluice::openai
