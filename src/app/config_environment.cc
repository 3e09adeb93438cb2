#include "app/config_environment.h"

#include <array>
#include <fmt/format.h>

namespace sluice::app {
namespace {

struct Preset {
  std::string_view name;  // and kind
  std::string_view key_variable;
  std::string_view url_variable;   // may move the base URL; empty: none
  std::string_view default_model;  // first choice of the tier `default`; empty: not in it
};

constexpr auto kPresets = std::to_array<Preset>({
    {"openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "gpt-5.4-mini"},
    {"anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "claude-haiku-4-5"},
    {"openrouter", "OPENROUTER_API_KEY", "", "openai/gpt-5.4-mini"},
    // Which models a Portkey account reaches depends on its virtual keys, so none is presumed.
    {"portkey", "PORTKEY_API_KEY", "", ""},
});

// An empty variable is how deployment tools spell "not set".
std::optional<std::string> filled(Reader& reader, const Surroundings& around,
                                  std::string_view variable) {
  if (variable.empty()) return std::nullopt;
  auto found = look_up(variable, around);
  if (found.fault)
    reader.complain(found.fault->rule, Place{.source = fmt::format("environment {}", found.name)},
                    "", found.fault->message);
  if (found.value && found.value->empty()) found.value.reset();
  return std::move(found.value);
}

void give(Reader& reader, std::string_view leaf, const Preset& preset, std::string_view value,
          std::string_view variable) {
  reader.give(*property(fmt::format("providers.*.{}", leaf)), preset.name, value,
              Layer::Environment, fmt::format("environment {}", variable));
}

void add_default_target(Reader& reader, std::string_view provider, std::string_view model) {
  auto& entries = tier_of(reader.settings, "default").entries;
  Place place{.source = "default"};
  reader.provenance.locate(fmt::format("tiers.default[{}]", entries.size()), place);
  entries.push_back(fmt::format("{}/{}", provider, model));
}

}  // namespace

std::vector<std::string> add_environment_providers(Reader& reader, const Surroundings& around) {
  std::vector<std::string> notes;
  const bool wants_tier = reader.settings.tiers.empty() && reader.settings.aliases.empty();
  for (const auto& preset : kPresets) {
    const auto key = filled(reader, around, preset.key_variable);
    const auto moved = filled(reader, around, preset.url_variable);
    if (!key && !moved) continue;
    const auto found_by = key ? preset.key_variable : preset.url_variable;
    give(reader, "kind", preset, preset.name, found_by);
    if (moved) give(reader, "base_url", preset, *moved, preset.url_variable);
    if (key) give(reader, "api_key", preset, *key, preset.key_variable);
    // Elsewhere than at home, the usual models may not exist.
    if (wants_tier && !moved && !preset.default_model.empty())
      add_default_target(reader, preset.name, preset.default_model);
    notes.push_back(fmt::format("provider `{}` from {}", preset.name, found_by));
  }
  const auto& found = reader.settings.providers;
  if (found.size() > 1 && !reader.has("default_provider"))
    reader.give(*property("default_provider"), "", found.front().name, Layer::Default,
                "default, the first with a key in the environment");
  if (!found.empty()) return notes;
  reader.give(*property("providers.*.kind"), "lab", "lab", Layer::Default, "default");
  if (wants_tier) add_default_target(reader, "lab", "chat");
  notes.push_back(
      "no usable provider key in the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, "
      "OPENROUTER_API_KEY, PORTKEY_API_KEY): answering from the built-in lab, which makes its "
      "replies up");
  return notes;
}

}  // namespace sluice::app
