#include "wire/openai_fields.h"

#include <array>

#include "wire/name_table.h"

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
constexpr int64_t kAny = chat::Bounds::kAny;

// Bounds are those every OpenAI model shares; narrower ones are the upstream's to check.
// `max_tokens` 0 on completions is how evaluation tools ask for the prompt's own log probabilities.
constexpr chat::NameTable kFields(std::to_array<Field>({
    {"model", kAll, Rule::Model},
    {"messages", kChat, Rule::Messages},
    {"prompt", kText, Rule::Prompt},
    {"input", kEmbed, Rule::Input},
    {"stream", kBoth, Rule::Stream},
    {"stream_options", kBoth, Rule::StreamOptions},
    {"n", kBoth, Rule::Choices, {1, 128}},
    {"max_tokens", kChat, Rule::MaxTokens, {1, kAny}},
    {"max_tokens", kText, Rule::MaxTokens, {0, kAny}},
    {"max_completion_tokens", kChat, Rule::MaxCompletionTokens, {1, kAny}},
    {"reasoning_effort", kChat, Rule::ReasoningEffort},
    {"safety_identifier", kAll, Rule::SafetyIdentifier},
    {"user", kAll, Rule::User},
    {"service_tier", kChat, Rule::ServiceTier},
    {"tools", kChat, Rule::Tools},
    {"functions", kChat, Rule::Array},
    {"temperature", kBoth, Rule::Number, {0, 2}},
    {"top_p", kBoth, Rule::Number, {0, 1}},
    {"frequency_penalty", kBoth, Rule::Number, {-2, 2}},
    {"presence_penalty", kBoth, Rule::Number, {-2, 2}},
    {"logprobs", kChat, Rule::Boolean},
    {"logprobs", kText, Rule::Integer, {0, kAny}},
    {"top_logprobs", kChat, Rule::Integer, {0, kAny}},
    {"best_of", kText, Rule::Integer, {1, kAny}},
    {"echo", kText, Rule::Boolean},
    {"seed", kBoth, Rule::Integer, {-kAny, kAny}},
    {"stop", kBoth, Rule::Stop},
    {"logit_bias", kBoth, Rule::Object},
    {"metadata", kChat, Rule::Object},
    {"response_format", kChat, Rule::Object},
    {"modalities", kChat, Rule::Array},
    {"parallel_tool_calls", kChat, Rule::Boolean},
    {"store", kChat, Rule::Boolean},
    {"dimensions", kEmbed, Rule::Integer, {1, kAny}},
    {"encoding_format", kEmbed, Rule::String},
}));

}  // namespace

const Field* find_field(chat::Endpoint endpoint, std::string_view name) {
  return kFields.find(name,
                      [&](const Field& field) { return (field.endpoints & bit(endpoint)) != 0; });
}

}  // namespace sluice::openai
