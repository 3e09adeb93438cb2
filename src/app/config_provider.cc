#include "app/config_provider.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "app/config_names.h"
#include "providers/kind.h"
#include "providers/lab_models.h"
#include "providers/portkey.h"
#include "providers/preset.h"
#include "providers/snowflake_jwt.h"

namespace sluice::app {
namespace {

// A preset's base URL may name a part that only its owner knows: {RESOURCE}.
bool is_pattern(std::string_view url) {
  return url.find('{') != std::string_view::npos;
}

// Where each kind is at home. Only the provider named `openai` is at OpenAI by itself: a forgotten
// base_url must not send another provider's key there.
std::string home_of(const ProviderSettings& provider) {
  switch (provider.kind) {
    case ProviderKind::OpenAi: {
      const std::string_view preset = provider.preset.empty() && provider.name == "openai"
                                          ? std::string_view("openai")
                                          : provider.preset;
      const providers::Preset* const found = providers::preset_named(preset);
      return found == nullptr || is_pattern(found->base_url) ? "" : std::string(found->base_url);
    }
    case ProviderKind::Anthropic:
      return "https://api.anthropic.com/v1";
    case ProviderKind::Portkey:
      return "https://api.portkey.ai/v1";
    case ProviderKind::OpenRouter:
      return "https://openrouter.ai/api/v1";
    case ProviderKind::Cortex: {
      const std::string& account = provider.cortex.account;
      return account.empty() ? "" : "https://" + providers::snowflake_host(account);
    }
    case ProviderKind::Lab:
      break;
  }
  return "";
}

// People write these base URLs with and without the paths below them (acceptance TR-10).
void complete_path(ProviderSettings& provider) {
  std::string& path = provider.base_url.path;
  if (provider.base_url.empty()) return;
  if (provider.kind == ProviderKind::Anthropic)
    path = providers::base_path_of(providers::Kind::Anthropic, path);
  if (provider.kind == ProviderKind::Cortex)
    path.resize(std::min(path.size(), path.find("/api/v2")));
}

// Settings that have a meaning for one kind only.
struct KindOnly {
  ProviderKind kind;
  std::string_view leaf;
};
constexpr auto kKindOnly = std::to_array<KindOnly>({
    {ProviderKind::OpenAi, "preset"},
    {ProviderKind::Portkey, "virtual_keys"},
    {ProviderKind::Portkey, "config"},
    {ProviderKind::Portkey, "vendor"},
    {ProviderKind::Portkey, "custom_host"},
    {ProviderKind::Portkey, "metadata"},
    {ProviderKind::OpenRouter, "app_url"},
    {ProviderKind::OpenRouter, "app_title"},
    {ProviderKind::OpenRouter, "routing"},
    {ProviderKind::Cortex, "account"},
    {ProviderKind::Cortex, "user"},
    {ProviderKind::Cortex, "private_key_file"},
    {ProviderKind::Cortex, "private_key_passphrase"},
    {ProviderKind::Cortex, "token"},
    {ProviderKind::Cortex, "oauth_token"},
});

constexpr Duration kListRefresh = std::chrono::hours(6);

// A list is worth its fetching where it is long and changes often.
bool has_list(ProviderKind kind) {
  return kind == ProviderKind::OpenRouter || kind == ProviderKind::Cortex;
}

// What `speaks` may name: the calls that are endpoints of ours too.
std::vector<std::string_view> endpoint_names() {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < providers::kCallCount; ++i) {
    const auto call = static_cast<providers::Call>(i);
    if (providers::endpoint_of(call)) names.push_back(providers::name_of(call));
  }
  return names;
}

void inherit(Reader& reader, const ProviderSettings& provider, Duration& own, Duration common,
             std::string_view leaf) {
  const std::string path = fmt::format("providers.{}.timeouts.{}", provider.name, leaf);
  if (reader.has(path)) return;
  own = common;
  note(reader, path, fmt::format("default, from timeouts.{}", leaf), text_of(common));
}

void warn(Reader& reader, Rule rule, const std::string& path, const std::string& what,
          std::string hint) {
  reader.complain(rule, reader.provenance.place_of(path), path, fmt::format("`{}` {}", path, what),
                  std::move(hint));
}

// What is valid and will fail all the same.
void check_habits(Reader& reader, const ProviderSettings& provider) {
  const std::string path = fmt::format("providers.{}", provider.name);
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view key = provider.api_key.reveal();
  if (key.size() > kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), key.begin(),
                 [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b | 0x20 : b); }))
    warn(reader, Rule::SchemeInKey, path + ".api_key", "begins with `Bearer`",
         "leave the word out: the gateway adds it");
  for (const std::string_view added :
       {"/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "/models"})
    if (provider.base_url.path.ends_with(added))
      return warn(reader, Rule::DoubtfulUrl, path + ".base_url",
                  fmt::format("ends in `{}`, which the gateway adds", added),
                  fmt::format("leave `{}` out", added));
  if (provider.base_url.path.find("/v1/v1") != std::string::npos)
    warn(reader, Rule::DoubtfulUrl, path + ".base_url", "says `/v1` twice", "write `/v1` once");
}

// Somebody gave it a value: a default is nobody's word.
bool is_written(const Reader& reader, const std::string& path) {
  const std::vector<Given>& given = reader.provenance.of(path);
  return !given.empty() && given.front().layer != Layer::Default;
}

void check_kind(Reader& reader, const ProviderSettings& provider, const std::string& path) {
  for (const auto& only : kKindOnly) {
    const std::string own = fmt::format("{}.{}", path, only.leaf);
    needs(reader, provider.kind != only.kind && is_written(reader, own), own,
          fmt::format("`{}` has a meaning only for kind `{}`", own,
                      names_of(ProviderKind{})[static_cast<size_t>(only.kind)]));
  }
  const std::string refresh = path + ".list_refresh";
  needs(reader, !has_list(provider.kind) && is_written(reader, refresh), refresh,
        fmt::format("`{}` has a meaning only for kinds `openrouter` and `cortex`", refresh));
}

void check_keys(Reader& reader, const ProviderSettings& provider, const std::string& path) {
  if (provider.keys.empty() && reader.has(path + ".keys"))
    reader.complain(Rule::MissingKey, reader.provenance.place_of(path + ".keys"), path + ".keys",
                    fmt::format("`{}.keys` holds no key", path));
  needs(reader, !provider.keys.empty() && !provider.api_key.empty(), path + ".keys",
        fmt::format("`{0}.keys` and `{0}.api_key` exclude each other", path));
  for (const auto& [name, weight] : provider.key_weights) {
    const std::string own = fmt::format("{}.key_weights.{}", path, name);
    const bool known = std::any_of(provider.keys.begin(), provider.keys.end(),
                                   [&key = name](const Header& h) { return h.name == key; });
    const bool left_out = reader.provenance.knows(fmt::format("{}.keys.{}", path, name));
    needs(reader, !known && !left_out, own, fmt::format("`{}` is none of `{}.keys`", name, path));
    int64_t number = 0;
    if (auto fault = assign(number, weight, Limits{0, 1000}))
      reader.complain(fault->rule, reader.provenance.place_of(own), own,
                      fmt::format("`{}`: {}", own, fault->message));
  }
}

void check_cortex(Reader& reader, const ProviderSettings& provider, const std::string& path) {
  if (provider.kind != ProviderKind::Cortex) return;
  for (const bool several : {false, true}) {
    const bool given = several ? !provider.keys.empty() : !provider.api_key.empty();
    const std::string own = path + (several ? ".keys" : ".api_key");
    needs(reader, given, own, fmt::format("`{}` has no meaning for kind `cortex`", own),
          "write `token`, `oauth_token` or `private_key_file`");
  }
  const auto& cortex = provider.cortex;
  const int ways = (cortex.private_key_file.empty() ? 0 : 1) + (cortex.token.empty() ? 0 : 1) +
                   (cortex.oauth_token.empty() ? 0 : 1);
  needs(reader, ways != 1, path,
        fmt::format("`{}` needs one of `private_key_file`, `token` and `oauth_token`", path));
  needs(reader, !cortex.private_key_file.empty() && (cortex.account.empty() || cortex.user.empty()),
        path + ".private_key_file",
        fmt::format("`{0}.private_key_file` needs `{0}.account` and `{0}.user`", path));
}

void check_portkey(Reader& reader, const ProviderSettings& provider, const std::string& path) {
  if (provider.portkey.config.empty()) return;
  const auto config = providers::tamed_portkey_config(provider.portkey.config);
  if (config) return;
  const std::string own = path + ".config";
  reader.complain(Rule::BadValue, reader.provenance.place_of(own), own,
                  fmt::format("`{}`: {}", own, config.error().message()));
}

void check_preset(Reader& reader, const ProviderSettings& provider, const std::string& path) {
  if (provider.preset.empty() || providers::preset_named(provider.preset) != nullptr) return;
  std::vector<std::string_view> names;
  for (const providers::Preset& preset : providers::presets()) names.push_back(preset.name);
  reader.complain(Rule::UnknownChoice, reader.provenance.place_of(path + ".preset"),
                  path + ".preset", fmt::format("`{}` is no preset", provider.preset),
                  did_you_mean(provider.preset, names));
}

// What to do about a base URL that is missing and cannot be known.
std::string missing_url_hint(const ProviderSettings& provider) {
  if (provider.kind == ProviderKind::Cortex) return "or `account`, from which it follows";
  const providers::Preset* const preset = providers::preset_named(provider.preset);
  if (preset != nullptr) return fmt::format("it looks like {}", preset->base_url);
  return "only the provider named `openai` and those with a `preset` have one by default";
}

void check_others(Reader& reader, const ProviderSettings& provider, const std::string& path) {
  std::vector<std::string_view> names;
  for (const auto& other : reader.settings.providers)
    if (other.name != provider.name) names.push_back(other.name);
  const auto& stands = provider.stands_in_for;
  if (!stands.empty() && std::find(names.begin(), names.end(), stands) == names.end())
    reader.complain(Rule::UnknownProvider, reader.provenance.place_of(path + ".stands_in_for"),
                    path + ".stands_in_for",
                    fmt::format("no other provider is called `{}`", stands),
                    did_you_mean(stands, names));
  const std::vector<std::string_view> known = endpoint_names();
  for (const auto& endpoint : provider.speaks) {
    if (std::find(known.begin(), known.end(), endpoint) != known.end()) continue;
    reader.complain(Rule::UnknownChoice, reader.provenance.place_of(path + ".speaks"),
                    path + ".speaks", fmt::format("`{}` is no endpoint", endpoint),
                    fmt::format("known: {}", listed(known)));
  }
}

}  // namespace

void note(Reader& reader, const std::string& path, std::string source, std::string value) {
  Given given;
  given.place.source = std::move(source);
  given.value = std::move(value);
  reader.provenance.give(path, std::move(given));
}

void needs(Reader& reader, bool broken, const std::string& path, std::string message,
           std::string hint) {
  if (broken)
    reader.complain(Rule::NeedsOther, reader.provenance.place_of(path), path, std::move(message),
                    std::move(hint));
}

void check_pair(Reader& reader, const std::string& prefix, const std::string& cert,
                const std::string& key) {
  needs(reader, !cert.empty() && key.empty(), prefix + ".cert_file",
        fmt::format("`{0}.cert_file` needs `{0}.key_file`", prefix));
  needs(reader, cert.empty() && !key.empty(), prefix + ".key_file",
        fmt::format("`{0}.key_file` needs `{0}.cert_file`", prefix));
}

void check_required(Reader& reader, std::string_view each, const std::string& name) {
  const std::string below = fmt::format("{}.*.", each);
  for (const auto& row : properties()) {
    if (!row.required || !row.key.starts_with(below)) continue;
    const auto path = path_of(row, name);
    if (reader.has(path) || reader.complained_about(path)) continue;
    reader.complain(Rule::MissingKey, reader.provenance.place_of(fmt::format("{}.{}", each, name)),
                    path, fmt::format("`{}.{}` needs `{}`", each, name, leaf_of(row.key)));
  }
}

void derive_provider(Reader& reader, ProviderSettings& provider, const ProxyEnvironment& proxies) {
  const auto& common = reader.settings.timeouts;
  inherit(reader, provider, provider.timeouts.connect, common.connect, "connect");
  inherit(reader, provider, provider.timeouts.first_byte, common.first_byte, "first_byte");
  inherit(reader, provider, provider.timeouts.reasoning, common.reasoning, "reasoning");
  inherit(reader, provider, provider.timeouts.idle, common.idle, "idle");
  inherit(reader, provider, provider.timeouts.total, common.total, "total");

  const std::string prefix = fmt::format("providers.{}.", provider.name);
  if (!reader.has(prefix + "open")) {
    provider.open = provider.models.empty();
    note(reader, prefix + "open", "default, true when models is empty", text_of(provider.open));
  }
  // The lab stays open: its faults have more names than a list could hold.
  if (provider.kind == ProviderKind::Lab && !reader.has(prefix + "models")) {
    for (const auto& model : providers::lab_models()) provider.models.emplace_back(model.name);
    note(reader, prefix + "models", "default, the lab's own",
         value_text(*property("providers.*.models"), reader.settings, provider.name));
  }
  if (!reader.has(prefix + "markup")) {
    provider.markup = reader.settings.prices.markup;
    note(reader, prefix + "markup", "default, from prices.markup", text_of(provider.markup));
  }
  const std::string home = home_of(provider);
  if (!home.empty() && !reader.has(prefix + "base_url"))
    reader.give(*property("providers.*.base_url"), provider.name, home, Layer::Default, "default");
  if (!reader.has(prefix + "local")) {
    const providers::Preset* const preset = providers::preset_named(provider.preset);
    provider.local = provider.kind == ProviderKind::Cortex || (preset != nullptr && preset->local);
    note(reader, prefix + "local", "default, by kind and preset", text_of(provider.local));
  }
  if (has_list(provider.kind) && !reader.has(prefix + "list_refresh")) {
    provider.list_refresh = kListRefresh;
    note(reader, prefix + "list_refresh", "default, by kind", text_of(provider.list_refresh));
  }
  complete_path(provider);
  if (provider.proxy.mode == ProxyMode::Environment && !provider.base_url.empty())
    provider.proxy = proxies.choose(provider.base_url);
}

void check_provider(Reader& reader, const ProviderSettings& provider) {
  const std::string path = fmt::format("providers.{}", provider.name);
  check_required(reader, "providers", provider.name);
  check_pair(reader, path + ".tls", provider.tls.cert_file, provider.tls.key_file);
  if (!reader.has(path + ".kind")) return;
  if (provider.kind == ProviderKind::Lab) {
    for (const auto* leaf : {".base_url", ".api_key"})
      needs(reader, reader.has(path + leaf), path + leaf,
            fmt::format("`{}{}` has no meaning: the lab is built in", path, leaf));
    return;
  }
  check_kind(reader, provider, path);
  check_keys(reader, provider, path);
  check_cortex(reader, provider, path);
  check_preset(reader, provider, path);
  check_portkey(reader, provider, path);
  check_others(reader, provider, path);
  const bool explained =
      reader.complained_about(path + ".base_url") || reader.complained_about(path + ".preset");
  if (provider.base_url.empty() && !explained)
    reader.complain(Rule::MissingKey, reader.provenance.place_of(path), path + ".base_url",
                    fmt::format("`{}` needs `base_url`", path), missing_url_hint(provider));
  check_habits(reader, provider);
}

}  // namespace sluice::app
