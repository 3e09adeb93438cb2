#include "providers/preset.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice::providers {
namespace {

constexpr CallSet kChat{Call::Chat};
constexpr CallSet kChatResponses{Call::Chat, Call::Responses};
constexpr CallSet kChatEmbed{Call::Chat, Call::Embeddings};
constexpr CallSet kChatText{Call::Chat, Call::Completions};
constexpr CallSet kClassic{Call::Chat, Call::Completions, Call::Embeddings};
constexpr CallSet kAll{Call::Chat, Call::Completions, Call::Embeddings, Call::Responses};

constexpr Preset kPresets[] = {
    {.name = "openai",
     .title = "OpenAI",
     .base_url = "https://api.openai.com/v1",
     .key_env = "OPENAI_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kAll},
    {.name = "azure",
     .title = "Azure OpenAI (v1 API; models are deployment names)",
     .base_url = "https://{RESOURCE}.openai.azure.com/openai/v1",
     .key_env = "AZURE_OPENAI_API_KEY",
     .auth = AuthStyle::ApiKey,
     .speaks = {Call::Chat, Call::Embeddings, Call::Responses}},
    {.name = "gemini",
     .title = "Google Gemini",
     .base_url = "https://generativelanguage.googleapis.com/v1beta/openai",
     .key_env = "GEMINI_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChatEmbed},
    {.name = "groq",
     .title = "Groq",
     .base_url = "https://api.groq.com/openai/v1",
     .key_env = "GROQ_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChatResponses},
    {.name = "mistral",
     .title = "Mistral",
     .base_url = "https://api.mistral.ai/v1",
     .key_env = "MISTRAL_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChatEmbed,
     .old_max_tokens = true,
     .no_stream_options = true},
    {.name = "deepseek",
     .title = "DeepSeek",
     .base_url = "https://api.deepseek.com/v1",
     .key_env = "DEEPSEEK_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChat,
     .old_max_tokens = true},
    {.name = "xai",
     .title = "xAI",
     .base_url = "https://api.x.ai/v1",
     .key_env = "XAI_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChatResponses},
    {.name = "together",
     .title = "Together AI",
     .base_url = "https://api.together.xyz/v1",
     .key_env = "TOGETHER_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kClassic,
     .old_max_tokens = true},
    {.name = "fireworks",
     .title = "Fireworks AI",
     .base_url = "https://api.fireworks.ai/inference/v1",
     .key_env = "FIREWORKS_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kClassic,
     .old_max_tokens = true},
    {.name = "cerebras",
     .title = "Cerebras",
     .base_url = "https://api.cerebras.ai/v1",
     .key_env = "CEREBRAS_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChatText},
    {.name = "perplexity",
     .title = "Perplexity",
     .base_url = "https://api.perplexity.ai",
     .key_env = "PERPLEXITY_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kChat,
     .old_max_tokens = true},
    {.name = "ollama",
     .title = "Ollama",
     .base_url = "http://localhost:11434/v1",
     .key_env = "",
     .auth = AuthStyle::Bearer,
     .speaks = kAll,
     .old_max_tokens = true,
     .local = true},
    {.name = "vllm",
     .title = "vLLM",
     .base_url = "http://localhost:8000/v1",
     .key_env = "VLLM_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kAll,
     .local = true},
    {.name = "llamacpp",
     .title = "llama.cpp server",
     .base_url = "http://localhost:8080/v1",
     .key_env = "LLAMA_API_KEY",
     .auth = AuthStyle::Bearer,
     .speaks = kClassic,
     .old_max_tokens = true,
     .local = true},
    {.name = "lmstudio",
     .title = "LM Studio",
     .base_url = "http://localhost:1234/v1",
     .key_env = "",
     .auth = AuthStyle::Bearer,
     .speaks = kAll,
     .old_max_tokens = true,
     .local = true},
};

std::string spoken(CallSet calls) {
  std::string out;
  for (size_t i = 0; i < kCallCount; ++i) {
    const auto call = static_cast<Call>(i);
    if (!calls.has(call)) continue;
    if (!out.empty()) out += ", ";
    out += name_of(call);
  }
  return out;
}

std::string traits(const Preset& preset) {
  std::string out;
  const auto add = [&out](bool is, std::string_view text) {
    if (!is) return;
    if (!out.empty()) out += "; ";
    out += text;
  };
  add(preset.old_max_tokens, "`max_completion_tokens` is sent as `max_tokens`");
  add(preset.no_stream_options, "no `stream_options`");
  add(preset.local, "local");
  return out;
}

}  // namespace

std::span<const Preset> presets() {
  return kPresets;
}

const Preset* preset_named(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kPresets), std::end(kPresets),
                                         [&](const Preset& each) { return each.name == name; });
  return found == std::end(kPresets) ? nullptr : found;
}

std::string presets_markdown() {
  std::string out =
      "| preset | service | base URL | key from | key as | speaks | peculiar |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Preset& preset : kPresets) {
    const std::string key = preset.key_env.empty() ? "" : fmt::format("`{}`", preset.key_env);
    fmt::format_to(std::back_inserter(out), "| `{}` | {} | `{}` | {} | {} | {} | {} |\n",
                   preset.name, preset.title, preset.base_url, key, name_of(preset.auth),
                   spoken(preset.speaks), traits(preset));
  }
  return out;
}

}  // namespace sluice::providers
