#include "providers/lab_snowflake_models.h"

#include <algorithm>
#include <array>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

struct Known {
  std::string_view name;
  int64_t dimensions = 0;  // of an embedding; 0: a chat model
};
constexpr std::array<Known, 19> kModels = {{
    {.name = "claude-opus-4-5"},
    {.name = "claude-sonnet-4-5"},
    {.name = "claude-haiku-4-5"},
    {.name = "claude-4-sonnet"},
    {.name = "openai-gpt-5"},
    {.name = "openai-gpt-5-mini"},
    {.name = "openai-gpt-4.1"},
    {.name = "llama4-maverick"},
    {.name = "llama3.1-8b"},
    {.name = "llama3.3-70b"},
    {.name = "mistral-large2"},
    {.name = "snowflake-arctic"},
    {.name = "snowflake-arctic-embed-m", .dimensions = 768},
    {.name = "snowflake-arctic-embed-m-v1.5", .dimensions = 768},
    {.name = "e5-base-v2", .dimensions = 768},
    {.name = "snowflake-arctic-embed-l-v2.0", .dimensions = 1'024},
    {.name = "snowflake-arctic-embed-l-v2.0-8k", .dimensions = 1'024},
    {.name = "multilingual-e5-large", .dimensions = 1'024},
    {.name = "voyage-multilingual-2", .dimensions = 1'024},
}};

}  // namespace

std::optional<LabModel> lab_snowflake_model(std::string_view name, chat::Endpoint endpoint) {
  const bool anthropic_only = endpoint == chat::Endpoint::Messages;
  if (anthropic_only && !name.starts_with("claude")) return std::nullopt;
  const auto* const known = std::ranges::find(kModels, name, &Known::name);
  if (known == kModels.end()) {
    const LabModel* const own = anthropic_only ? nullptr : lab_model(name);
    return own != nullptr ? std::optional(*own) : std::nullopt;
  }
  LabModel model = *lab_model(known->dimensions > 0        ? "embed"
                              : name.starts_with("claude") ? "claude"
                                                           : "chat");
  model.name = known->name;
  model.dimensions = known->dimensions;
  return model;
}

std::string lab_snowflake_models_body() {
  std::string body = R"({"models":[)";
  for (const Known& model : kModels) {
    if (&model != kModels.data()) body += ',';
    append_json(body, model.name);
  }
  return body + "]}\n";
}

}  // namespace sluice::providers
