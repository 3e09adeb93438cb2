#include "app/config_finish.h"

#include <algorithm>
#include <fmt/format.h>

#include "app/config_names.h"
#include "app/config_proxy.h"
#include "providers/lab_models.h"

namespace sluice::app {
namespace {

constexpr std::string_view kOpenAiUrl = "https://api.openai.com/v1";

void note(Reader& reader, const std::string& path, std::string source, std::string value) {
  Given given;
  given.place.source = std::move(source);
  given.value = std::move(value);
  reader.provenance.give(path, std::move(given));
}

void inherit(Reader& reader, const ProviderSettings& provider, Duration& own, Duration common,
             std::string_view leaf) {
  const std::string path = fmt::format("providers.{}.timeouts.{}", provider.name, leaf);
  if (reader.has(path)) return;
  own = common;
  note(reader, path, fmt::format("default, from timeouts.{}", leaf), text_of(common));
}

void derive_provider(Reader& reader, ProviderSettings& provider, const ProxyEnvironment& proxies) {
  const auto& common = reader.settings.timeouts;
  inherit(reader, provider, provider.timeouts.connect, common.connect, "connect");
  inherit(reader, provider, provider.timeouts.first_byte, common.first_byte, "first_byte");
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
  // Only for this name: a forgotten base_url must not send another provider's key to OpenAI.
  const bool is_openai = provider.kind == ProviderKind::OpenAi && provider.name == "openai";
  if (is_openai && !reader.has(prefix + "base_url"))
    reader.give(*property("providers.*.base_url"), provider.name, kOpenAiUrl, Layer::Default,
                "default");
  if (provider.proxy.mode == ProxyMode::Environment && !provider.base_url.empty())
    provider.proxy = proxies.choose(provider.base_url);
}

void needs(Reader& reader, bool broken, const std::string& path, std::string message,
           std::string hint = "") {
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
       {"/chat/completions", "/completions", "/embeddings", "/models"})
    if (provider.base_url.path.ends_with(added))
      return warn(reader, Rule::DoubtfulUrl, path + ".base_url",
                  fmt::format("ends in `{}`, which the gateway adds", added),
                  fmt::format("leave `{}` out", added));
  if (provider.base_url.path.find("/v1/v1") != std::string::npos)
    warn(reader, Rule::DoubtfulUrl, path + ".base_url", "says `/v1` twice", "write `/v1` once");
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
  if (provider.base_url.empty() && !reader.complained_about(path + ".base_url"))
    reader.complain(Rule::MissingKey, reader.provenance.place_of(path), path + ".base_url",
                    fmt::format("`{}` needs `base_url`", path),
                    "only the provider named `openai` has one by default");
  check_habits(reader, provider);
}

void check_default_provider(Reader& reader) {
  const auto& settings = reader.settings;
  if (!reader.has("default_provider") || settings.providers.empty()) return;
  if (settings.provider(settings.default_provider) != nullptr) return;
  std::vector<std::string_view> names;
  names.reserve(settings.providers.size());
  for (const auto& provider : settings.providers) names.push_back(provider.name);
  reader.complain(Rule::UnknownProvider, reader.provenance.place_of("default_provider"),
                  "default_provider",
                  fmt::format("no provider is called `{}`", settings.default_provider),
                  did_you_mean(settings.default_provider, names));
}

}  // namespace

void derive(Reader& reader, const Surroundings& around) {
  auto& settings = reader.settings;
  const auto proxies = ProxyEnvironment::read(around);
  for (auto& provider : settings.providers) derive_provider(reader, provider, proxies);
  if (!reader.has("ledger.path")) {
    settings.ledger.path = settings.server.data_dir + "/ledger.db";
    note(reader, "ledger.path", "default, in server.data_dir", settings.ledger.path);
  }
  // Among several, a mistyped model must not reach whichever happens to stand first.
  if (!reader.has("default_provider") && settings.providers.size() == 1) {
    settings.default_provider = settings.providers.front().name;
    note(reader, "default_provider", "default, the only provider", settings.default_provider);
  }
}

void check_together(Reader& reader) {
  const auto& settings = reader.settings;
  if (settings.providers.empty() && !reader.complained_about("providers"))
    reader.complain(Rule::MissingKey, reader.provenance.place_of("providers"), "providers",
                    "`providers` is empty: nobody would answer",
                    "add one, or leave the section out to use the keys in the environment");
  for (const auto& provider : settings.providers) check_provider(reader, provider);
  for (const auto& price : settings.prices.custom)
    check_required(reader, "prices.custom", price.model);
  check_default_provider(reader);

  const auto& server = settings.server;
  check_pair(reader, "server.tls", server.tls.cert_file, server.tls.key_file);
  needs(reader, !server.tls.client_ca_file.empty() && server.tls.cert_file.empty(),
        "server.tls.client_ca_file", "`server.tls.client_ca_file` needs `server.tls.cert_file`");
  needs(reader, server.listen.port != 0 && server.listen == server.admin_listen,
        "server.admin_listen", "`server.admin_listen` and `server.listen` are the same address");
  needs(reader, server.max_inflight_bytes.count < server.max_body.count,
        "server.max_inflight_bytes",
        "`server.max_inflight_bytes` is smaller than one `server.max_body`");
  needs(reader, settings.resilience.backoff_cap < settings.resilience.backoff_base,
        "resilience.backoff_cap", "`resilience.backoff_cap` is below `resilience.backoff_base`");
}

}  // namespace sluice::app
