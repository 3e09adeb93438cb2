// What each kind of provider speaks: one table from the endpoint a client used to the call that is
// made of it upstream. Values only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"

namespace sluice::providers {

enum class Kind : uint8_t { OpenAi, Anthropic, Portkey, OpenRouter, Cortex, Lab };

inline constexpr size_t kKindCount = 6;

// "openai", "anthropic", "portkey", "openrouter", "cortex", "lab".
std::string_view name_of(Kind kind);
std::optional<Kind> kind_named(std::string_view name);

// The form of a request's body and of its reply.
enum class Dialect : uint8_t { OpenAi, Responses, Anthropic, CortexNative, CortexEmbed };

inline constexpr size_t kDialectCount = 5;

// What can be asked of an upstream.
enum class Call : uint8_t {
  Chat,
  Completions,
  Embeddings,
  Responses,
  Messages,
  CountTokens,
  CortexComplete,  // Snowflake's own inference:complete
  CortexEmbed,     // Snowflake's own inference:embed
};

inline constexpr size_t kCallCount = 8;

// "chat", "completions", ... as in the setting `speaks`.
std::string_view name_of(Call call);
Dialect dialect_of(Call call);
// Whether its dialect asks for a limit of the output: there is one, then, in every body.
bool wants_limit(std::optional<Call> call);
// The client endpoint whose bytes this call can take as they are; nothing where there is none.
std::optional<chat::Endpoint> endpoint_of(Call call);

class CallSet {
 public:
  constexpr CallSet() = default;
  constexpr CallSet(std::initializer_list<Call> calls) {
    for (const Call call : calls) add(call);
  }
  constexpr void add(Call call) { bits_ |= bit(call); }
  constexpr bool has(Call call) const { return (bits_ & bit(call)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(CallSet, CallSet) = default;

 private:
  static constexpr uint8_t bit(Call call) {
    return static_cast<uint8_t>(1U << static_cast<unsigned>(call));
  }
  uint8_t bits_ = 0;
};

// The set that a list of names stands for. BadRequest: a name is none, and the message tells the
// nearest.
Result<CallSet> calls_named(std::span<const std::string> names);

// All that a provider of this kind can be asked.
CallSet calls_of(Kind kind);
// Below the base path, with its slash. Requires: calls_of(kind).has(call).
std::string_view path_of(Kind kind, Call call);
// The base path as path_of() wants it, from what people write: an Anthropic base without its /v1,
// a Snowflake base with the path its OpenAI clients use, a slash at the end.
std::string base_path_of(Kind kind, std::string_view written);

// How a client's request is made of an upstream that can be asked `speaks`: the same endpoint if
// possible, so that bytes pass through, else one it can be translated to. Nothing: this upstream
// cannot serve it. The model matters to Snowflake, whose Messages endpoint knows Claude only.
std::optional<Call> call_for(Kind kind, CallSet speaks, chat::Endpoint client,
                             std::string_view model);

}  // namespace sluice::providers
