#include "app/commands/import_draft.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <functional>
#include <utility>

#include "app/config_value.h"

namespace sluice::app {
namespace {

constexpr int64_t kMostAttempts = 20;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kUsualMaxPauseMs = 60'000;

// Each gateway has its own spelling, so some stand here twice.
constexpr auto kVendors = std::to_array<Vendor>({
    {"openai", "openai", "", "OPENAI_API_KEY"},
    {"text-completion-openai", "openai", "", "OPENAI_API_KEY"},
    {"anthropic", "anthropic", "", "ANTHROPIC_API_KEY"},
    {"openrouter", "openrouter", "", "OPENROUTER_API_KEY"},
    {"cortex", "cortex", "", "SNOWFLAKE_TOKEN"},
    {"snowflake", "cortex", "", "SNOWFLAKE_TOKEN"},
    {"azure", "openai", "azure", "AZURE_OPENAI_API_KEY"},
    {"azure-openai", "openai", "azure", "AZURE_OPENAI_API_KEY"},
    {"gemini", "openai", "gemini", "GEMINI_API_KEY"},
    {"google", "openai", "gemini", "GEMINI_API_KEY"},
    {"groq", "openai", "groq", "GROQ_API_KEY"},
    {"mistral", "openai", "mistral", "MISTRAL_API_KEY"},
    {"mistral-ai", "openai", "mistral", "MISTRAL_API_KEY"},
    {"deepseek", "openai", "deepseek", "DEEPSEEK_API_KEY"},
    {"xai", "openai", "xai", "XAI_API_KEY"},
    {"x-ai", "openai", "xai", "XAI_API_KEY"},
    {"together_ai", "openai", "together", "TOGETHER_API_KEY"},
    {"together-ai", "openai", "together", "TOGETHER_API_KEY"},
    {"fireworks_ai", "openai", "fireworks", "FIREWORKS_API_KEY"},
    {"fireworks-ai", "openai", "fireworks", "FIREWORKS_API_KEY"},
    {"cerebras", "openai", "cerebras", "CEREBRAS_API_KEY"},
    {"perplexity", "openai", "perplexity", "PERPLEXITY_API_KEY"},
    {"perplexity-ai", "openai", "perplexity", "PERPLEXITY_API_KEY"},
    {"ollama", "openai", "ollama", ""},
    {"ollama_chat", "openai", "ollama", ""},
    {"hosted_vllm", "openai", "vllm", ""},
    {"vllm", "openai", "vllm", ""},
    {"lm_studio", "openai", "lmstudio", ""},
});

YamlItem described(const DraftProvider& provider) {
  YamlItem out = YamlItem::map();
  out.add("kind", YamlItem::raw(provider.kind));
  // Only a provider of that name is at OpenAI by itself.
  const bool elsewhere =
      provider.kind != "openai" || provider.name == "openai" || !provider.base_url.empty();
  const std::string preset = provider.preset.empty() && !elsewhere ? "openai" : provider.preset;
  if (!preset.empty()) out.add("preset", YamlItem::text(preset));
  if (!provider.vendor.empty()) out.add("vendor", YamlItem::text(provider.vendor));
  const bool cortex = provider.kind == "cortex";
  if (!provider.base_url.empty()) out.add("base_url", YamlItem::raw(provider.base_url));
  if (cortex && provider.base_url.empty())
    out.add("account", YamlItem::raw(fmt::format("${{{}}}", kAccountVariable)));
  if (!provider.key_variable.empty())
    out.add(cortex ? "token" : "api_key", YamlItem::raw("${" + provider.key_variable + "}"));
  std::vector<YamlItem> headers;
  for (const std::string& header : provider.pass_headers) headers.push_back(YamlItem::text(header));
  if (!headers.empty()) out.add("pass_headers", YamlItem::list(std::move(headers)));
  return out;
}

}  // namespace

YamlItem time_item(int64_t ms) {
  return YamlItem::raw(text_of(Duration(ms)));
}

const Vendor* vendor_named(std::string_view name) {
  const auto* const found = std::find_if(kVendors.begin(), kVendors.end(),
                                         [&](const Vendor& vendor) { return vendor.name == name; });
  return found == kVendors.end() ? nullptr : found;
}

bool DraftProvider::same_service(const DraftProvider& other) const {
  return kind == other.kind && preset == other.preset && base_url == other.base_url &&
         key_variable == other.key_variable && vendor == other.vendor &&
         pass_headers == other.pass_headers;
}

void Draft::note(Fate fate, std::string path, std::string text) {
  // A target that two conditions lead to is read twice.
  const auto same = [&](const ImportNote& known) {
    return known.fate == fate && known.path == path && known.text == text;
  };
  if (std::any_of(notes.begin(), notes.end(), same)) return;
  notes.push_back({fate, std::move(path), std::move(text)});
}

std::string Draft::variable(const std::string& name) {
  if (std::find(variables.begin(), variables.end(), name) == variables.end())
    variables.push_back(name);
  return "${" + name + "}";
}

std::string Draft::variable_for(const std::string& name, std::string_view key) {
  std::vector<size_t>& known = keys_[name];
  const size_t hash = std::hash<std::string_view>{}(key);
  const auto found = std::find(known.begin(), known.end(), hash);
  const auto place = static_cast<size_t>(found - known.begin());
  if (found == known.end()) known.push_back(hash);
  return place == 0 ? name : fmt::format("{}_{}", name, place + 1);
}

std::string Draft::provider(DraftProvider wanted, const std::vector<std::string>& taken_names) {
  for (const DraftProvider& known : providers_)
    if (known.same_service(wanted)) return known.name;
  const auto taken = [&](const std::string& name) {
    return std::any_of(providers_.begin(), providers_.end(),
                       [&](const DraftProvider& known) { return known.name == name; }) ||
           std::find(taken_names.begin(), taken_names.end(), name) != taken_names.end();
  };
  std::string name = wanted.name;
  for (int i = 2; taken(name); ++i) name = fmt::format("{}-{}", wanted.name, i);
  wanted.name = name;
  if (wanted.kind == "cortex" && wanted.base_url.empty()) variable(std::string(kAccountVariable));
  if (!wanted.key_variable.empty()) variable(wanted.key_variable);
  providers_.push_back(std::move(wanted));
  return name;
}

std::string Draft::url(const std::string& path, const std::string& text,
                       const std::string& fallback) {
  BaseUrl parsed;
  if (!assign(parsed, text, Limits{})) return text;
  note(Fate::Differs, path, "not a plain http(s) URL; set " + fallback + " to one");
  return variable(fallback);
}

void Draft::breaker(int64_t failures, int64_t pause_ms) {
  failures_ = std::max(failures_, std::min<int64_t>(failures, 10'000));
  pause_ms_ = std::max(pause_ms_, std::min(pause_ms, kHourMs));
}

std::string Draft::yaml(std::string_view source) const {
  YamlItem root = YamlItem::map();
  YamlItem services = YamlItem::map();
  for (const DraftProvider& provider : providers_) services.add(provider.name, described(provider));
  root.add("providers", std::move(services));
  if (!default_provider.empty()) root.add("default_provider", YamlItem::text(default_provider));
  for (const auto& [key, section] :
       {std::pair{"aliases", &aliases}, std::pair{"tasks", &tasks}, std::pair{"routes", &routes}})
    if (!section->empty()) root.add(key, *section);
  YamlItem all = resilience;
  if (attempts_ > 0)
    all.add("attempts", YamlItem::raw(std::to_string(std::min(attempts_, kMostAttempts))));
  YamlItem breaker = YamlItem::map();
  if (failures_ > 0) breaker.add("failures", YamlItem::raw(std::to_string(failures_)));
  if (pause_ms_ > 0) breaker.add("pause", time_item(pause_ms_));
  if (pause_ms_ > kUsualMaxPauseMs) breaker.add("max_pause", time_item(pause_ms_));
  if (!breaker.empty()) all.add("breaker", std::move(breaker));
  if (!all.empty()) root.add("resilience", std::move(all));
  if (!timeouts.empty()) root.add("timeouts", timeouts);

  std::string out = fmt::format("# Made from a {} configuration by `sluice import`.\n", source);
  if (!variables.empty())
    out += fmt::format("# Set before the start: {}\n", fmt::join(variables, ", "));
  return out + "\n" + yaml_of(root);
}

const Node* member(const Node& map, std::string_view key) {
  for (size_t i = 0; i < map.keys.size() && i < map.items.size(); ++i)
    if (map.keys[i].name == key) return &map.items[i];
  return nullptr;
}

std::string text_of_member(const Node& map, std::string_view key) {
  const Node* const node = member(map, key);
  return node != nullptr && node->kind == Node::Kind::Scalar ? node->text : "";
}

double number_in(const Node* node, double otherwise) {
  if (node == nullptr || node->kind != Node::Kind::Scalar) return otherwise;
  double value = otherwise;
  const char* const end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, value);
  // Beyond any setting's range, and beyond what an integer holds, is no number either.
  constexpr double kMost = 1e12;
  return error == std::errc() && stop == end && value <= kMost && value >= -kMost ? value
                                                                                  : otherwise;
}

std::string below(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string variable_name(std::string_view vendor, std::string_view suffix) {
  std::string name;
  for (const char c : vendor) {
    const auto letter = static_cast<unsigned char>(c);
    name += std::isalnum(letter) != 0 ? static_cast<char>(std::toupper(letter)) : '_';
  }
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0)
    name.insert(0, "LLM_");
  return name + std::string(suffix);
}

}  // namespace sluice::app
