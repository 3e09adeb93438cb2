#include "providers/model_traits.h"

#include <array>

namespace sluice::providers {
namespace {

struct Family {
  std::string_view prefix;
  ModelTraits traits;
};

constexpr ModelTraits kOlder{.completion_tokens = false};
constexpr ModelTraits kPlain{};
constexpr ModelTraits kThinker{.reasons = true, .fixed_sampling = true, .system_in_turn = true};
constexpr ModelTraits kChatter{.system_in_turn = true};
constexpr ModelTraits kOldClaude{};
constexpr ModelTraits kClaude45{.output_schema = true};
constexpr ModelTraits kClaude46{.effort = true, .output_schema = true};
constexpr ModelTraits kNewClaude{
    .fixed_sampling = true, .system_in_turn = true, .effort = true, .output_schema = true};
constexpr ModelTraits kOpenThinker{.reasons = true};

// The longest prefix decides. Source: the vendors' model pages, as told by the protocol notes:
// Claude models released after Opus 4.6 take no sampling parameters; OpenAI's reasoning models take
// max_completion_tokens only.
constexpr auto kFamilies = std::to_array<Family>({
    {"gpt-3.5", kOlder},
    {"gpt-4", kPlain},
    {"gpt-4o", kPlain},
    {"gpt-4.1", kPlain},
    {"gpt-5", kThinker},
    {"gpt-5-chat", kChatter},
    {"gpt-6", kThinker},
    {"o1", kThinker},
    {"o3", kThinker},
    {"o4", kThinker},
    {"claude", kNewClaude},
    {"claude-2", kOldClaude},
    {"claude-3", kOldClaude},
    {"claude-instant", kOldClaude},
    {"claude-4", kOldClaude},
    {"claude-sonnet-4", kOldClaude},
    {"claude-opus-4", kOldClaude},
    {"claude-sonnet-4-5", kClaude45},
    {"claude-haiku-4-5", kClaude45},
    {"claude-opus-4-1", kClaude45},
    {"claude-opus-4-5", kClaude46},
    {"claude-opus-4-6", kClaude46},
    {"claude-sonnet-4-6", kClaude46},
    {"claude-opus-4-7", kNewClaude},
    {"claude-opus-4-8", kNewClaude},
    {"claude-sonnet-4-7", kNewClaude},
    {"deepseek-r", kOpenThinker},
    {"deepseek-reasoner", kOpenThinker},
    {"magistral", kOpenThinker},
    {"qwq", kOpenThinker},
    {"grok-4", kOpenThinker},
    {"gemini-2.5-pro", kOpenThinker},
    {"gemini-3", kOpenThinker},
    // The lab's own (docs/lab.md).
    {"reasoning", {.reasons = true, .fixed_sampling = true}},
});

// The name alone: no vendor, no provider, and Snowflake's "openai-gpt-5" as "gpt-5".
std::string_view bare(std::string_view model) {
  const size_t slash = model.rfind('/');
  if (slash != std::string_view::npos) model.remove_prefix(slash + 1);
  if (model.starts_with("openai-")) model.remove_prefix(7);
  return model;
}

// Any case of letters, and "claude-opus-4.6" as well as "claude-opus-4-6".
constexpr char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c | 0x20);
  return c;
}
bool begins_with(std::string_view name, std::string_view prefix) {
  if (name.size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i) {
    const char c = folded(name[i]);
    if (c != prefix[i] && !(c == '.' && prefix[i] == '-')) return false;
  }
  return true;
}

}  // namespace

ModelTraits traits_of(std::string_view model) {
  const std::string_view name = bare(model);
  if (name.empty()) return kPlain;
  const char first = folded(name.front());
  const Family* best = nullptr;
  for (const Family& family : kFamilies) {
    if (family.prefix.front() != first) continue;
    const bool longer = best == nullptr || family.prefix.size() > best->prefix.size();
    if (longer && begins_with(name, family.prefix)) best = &family;
  }
  ModelTraits traits = best != nullptr ? best->traits : kPlain;
  if (name.find("thinking") != std::string_view::npos) traits.reasons = true;
  return traits;
}

}  // namespace sluice::providers
