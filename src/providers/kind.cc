#include "providers/kind.h"

#include <algorithm>
#include <vector>

#include "base/nearest.h"

namespace sluice::providers {
namespace {

constexpr std::array<std::string_view, kKindCount> kKindNames{"openai",     "anthropic", "portkey",
                                                              "openrouter", "cortex",    "lab"};

struct CallRow {
  Call call;
  std::string_view name;
  Dialect dialect;
  std::optional<chat::Endpoint> endpoint;
};

constexpr std::array<CallRow, kCallCount> kCalls{{
    {Call::Chat, "chat", Dialect::OpenAi, chat::Endpoint::Chat},
    {Call::Completions, "completions", Dialect::OpenAi, chat::Endpoint::Completions},
    {Call::Embeddings, "embeddings", Dialect::OpenAi, chat::Endpoint::Embeddings},
    {Call::Responses, "responses", Dialect::Responses, chat::Endpoint::Responses},
    {Call::Messages, "messages", Dialect::Anthropic, chat::Endpoint::Messages},
    {Call::CountTokens, "count_tokens", Dialect::Anthropic, chat::Endpoint::CountTokens},
    {Call::CortexComplete, "cortex_complete", Dialect::CortexNative, std::nullopt},
    {Call::CortexEmbed, "cortex_embed", Dialect::CortexEmbed, std::nullopt},
}};

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < kCallCount; ++i) {
    if (static_cast<size_t>(kCalls[i].call) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

// Paths by Kind and Call; empty where the kind has none.
using Paths = std::array<std::string_view, kCallCount>;
constexpr std::array<Paths, kKindCount> kPaths{{
    // OpenAi
    {"/chat/completions", "/completions", "/embeddings", "/responses", "", "", "", ""},
    // Anthropic
    {"", "", "", "", "/messages", "/messages/count_tokens", "", ""},
    // Portkey
    {"/chat/completions", "/completions", "/embeddings", "/responses", "/messages",
     "/messages/count_tokens", "", ""},
    // OpenRouter
    {"/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "", "", ""},
    // Cortex
    {"/v1/chat/completions", "", "", "", "/v1/messages", "", "/inference:complete",
     "/inference:embed"},
    // Lab
    {"/chat/completions", "/completions", "/embeddings", "/responses", "", "", "", ""},
}};

// By chat::Endpoint, best first. Same endpoint first, since its bytes pass through.
struct Preference {
  std::array<Call, 4> calls;
  size_t count;
};
constexpr std::array<Preference, chat::kEndpointCount> kPreferences{{
    {{Call::Chat, Call::Messages, Call::CortexComplete}, 3},
    {{Call::Completions}, 1},
    {{Call::Embeddings, Call::CortexEmbed}, 2},
    {{Call::Responses, Call::Chat, Call::Messages, Call::CortexComplete}, 4},
    {{Call::Messages, Call::Chat, Call::CortexComplete}, 3},
    {{Call::CountTokens}, 1},
}};

constexpr std::string_view kCortexBase = "/api/v2/cortex";

bool drop_end(std::string& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.resize(text.size() - end.size());
  return true;
}

bool knows(Kind kind, Call call, std::string_view model) {
  if (kind != Kind::Cortex || call != Call::Messages) return true;
  return model.starts_with("claude");
}

}  // namespace

std::string_view name_of(Kind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

std::optional<Kind> kind_named(std::string_view name) {
  const auto* const found = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<Kind>(found - kKindNames.begin());
}

std::string_view name_of(Call call) {
  return kCalls[static_cast<size_t>(call)].name;
}

bool wants_limit(std::optional<Call> call) {
  return call == Call::Messages || call == Call::CortexComplete;
}

Dialect dialect_of(Call call) {
  return kCalls[static_cast<size_t>(call)].dialect;
}

std::optional<chat::Endpoint> endpoint_of(Call call) {
  return kCalls[static_cast<size_t>(call)].endpoint;
}

Result<CallSet> calls_named(std::span<const std::string> names) {
  CallSet calls;
  for (const std::string& name : names) {
    const auto* const row = std::find_if(kCalls.begin(), kCalls.end(),
                                         [&](const CallRow& each) { return each.name == name; });
    if (row == kCalls.end()) {
      std::vector<std::string> known;
      for (const CallRow& each : kCalls) known.emplace_back(each.name);
      const std::vector<std::string> near = nearest(name, known, 1);
      std::string message = "'" + name + "' is nothing an upstream speaks";
      if (!near.empty()) message += "; did you mean '" + near.front() + "'?";
      return Error(Outcome::BadRequest, std::move(message));
    }
    calls.add(row->call);
  }
  return calls;
}

CallSet calls_of(Kind kind) {
  CallSet calls;
  for (const CallRow& row : kCalls) {
    if (!path_of(kind, row.call).empty()) calls.add(row.call);
  }
  return calls;
}

std::string_view path_of(Kind kind, Call call) {
  return kPaths[static_cast<size_t>(kind)][static_cast<size_t>(call)];
}

std::string base_path_of(Kind kind, std::string_view written) {
  std::string path(written);
  while (drop_end(path, "/")) continue;
  if (kind == Kind::Anthropic && !path.ends_with("/v1")) path += "/v1";
  if (kind == Kind::Cortex) {
    drop_end(path, "/v1");
    if (!path.ends_with(kCortexBase)) path += kCortexBase;
  }
  return path;
}

std::optional<Call> call_for(Kind kind, CallSet speaks, chat::Endpoint client,
                             std::string_view model) {
  const Preference& preference = kPreferences[static_cast<size_t>(client)];
  for (size_t i = 0; i < preference.count; ++i) {
    const Call call = preference.calls[i];
    if (speaks.has(call) && knows(kind, call, model)) return call;
  }
  return std::nullopt;
}

}  // namespace sluice::providers
