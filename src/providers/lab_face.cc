#include "providers/lab_face.h"

#include "providers/lab_anthropic_face.h"
#include "providers/lab_openai_face.h"
#include "providers/lab_openrouter_face.h"
#include "providers/lab_portkey_face.h"
#include "providers/lab_snowflake_face.h"

namespace sluice::providers {
namespace {

using chat::Endpoint;

struct Prefix {
  std::string_view prefix;
  const LabFace* face;
};
// The first that fits.
constexpr Prefix kPrefixes[] = {
    {"/anthropic/v1", &kLabAnthropicFace},
    {"/openai/v1", &kLabOpenAiFace},
    {"/v1", &kLabOpenAiFace},
    {"/snowflake/api/v2/cortex/v1/messages", &kLabSnowflakeMessagesFace},
    {"/snowflake/api/v2/cortex/v1", &kLabSnowflakeChatFace},
    {"/snowflake/api/v2/cortex", &kLabSnowflakeFace},
    {"/portkey/v1/messages", &kLabPortkeyMessagesFace},
    {"/portkey/v1", &kLabPortkeyFace},
    {"/openrouter/api/v1/messages", &kLabOpenRouterMessagesFace},
    {"/openrouter/api/v1", &kLabOpenRouterFace},
    {"", &kLabOpenAiFace},
};

struct Row {
  const LabFace* face;
  std::string_view rest;
  Endpoint endpoint;
};
constexpr Row kRows[] = {
    {&kLabOpenAiFace, "/chat/completions", Endpoint::Chat},
    {&kLabOpenAiFace, "/completions", Endpoint::Completions},
    {&kLabOpenAiFace, "/embeddings", Endpoint::Embeddings},
    {&kLabOpenAiFace, "/responses", Endpoint::Responses},
    {&kLabOpenAiFace, "/responses/input_tokens", Endpoint::CountTokens},
    {&kLabAnthropicFace, "/messages", Endpoint::Messages},
    {&kLabAnthropicFace, "/messages/count_tokens", Endpoint::CountTokens},
    {&kLabSnowflakeChatFace, "/chat/completions", Endpoint::Chat},
    {&kLabSnowflakeMessagesFace, "", Endpoint::Messages},
    {&kLabSnowflakeFace, "/inference:complete", Endpoint::Chat},
    {&kLabSnowflakeFace, "/inference:embed", Endpoint::Embeddings},
    {&kLabPortkeyFace, "/chat/completions", Endpoint::Chat},
    {&kLabPortkeyFace, "/completions", Endpoint::Completions},
    {&kLabPortkeyFace, "/embeddings", Endpoint::Embeddings},
    {&kLabPortkeyFace, "/responses", Endpoint::Responses},
    {&kLabPortkeyMessagesFace, "", Endpoint::Messages},
    {&kLabPortkeyMessagesFace, "/count_tokens", Endpoint::CountTokens},
    {&kLabOpenRouterFace, "/chat/completions", Endpoint::Chat},
    {&kLabOpenRouterFace, "/completions", Endpoint::Completions},
    {&kLabOpenRouterFace, "/embeddings", Endpoint::Embeddings},
    {&kLabOpenRouterFace, "/responses", Endpoint::Responses},
    {&kLabOpenRouterMessagesFace, "", Endpoint::Messages},
};

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

LabRoute lab_route(std::string_view path) {
  LabRoute route{.face = &kLabOpenAiFace, .rest = path, .endpoint = std::nullopt};
  for (const Prefix& one : kPrefixes) {
    if (!is_below(path, one.prefix)) continue;
    route.face = one.face;
    route.rest = path.substr(one.prefix.size());
    break;
  }
  for (const Row& row : kRows) {
    if (row.face == route.face && row.rest == route.rest) route.endpoint = row.endpoint;
  }
  return route;
}

}  // namespace sluice::providers
