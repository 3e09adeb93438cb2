#include "app/config_finish.h"

#include <algorithm>
#include <fmt/format.h>

#include "app/config_names.h"
#include "app/config_provider.h"
#include "app/config_proxy.h"
#include "providers/snowflake_jwt.h"

namespace sluice::app {
namespace {

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

void check_auto(Reader& reader) {
  const auto& settings = reader.settings;
  std::vector<std::string_view> names;
  for (const auto& task : settings.tasks) names.push_back(task.name);
  const auto check = [&](const std::string& task, const std::string& path) {
    if (std::find(names.begin(), names.end(), task) != names.end()) return;
    reader.complain(Rule::UnknownProvider, reader.provenance.place_of(path), path,
                    fmt::format("no task is called `{}`", task), did_you_mean(task, names));
  };
  if (reader.has("auto.default")) check(settings.auto_.fallback, "auto.default");
  for (const auto& phrases : settings.auto_.tasks)
    check(phrases.task, "auto.phrases." + phrases.task);
}

void derive_export(Reader& reader, const ProxyEnvironment& proxies) {
  ExportSettings& settings = reader.settings.export_;
  if (!reader.has("export.ndjson.folder")) {
    settings.ndjson.folder = reader.settings.server.data_dir + "/export";
    note(reader, "export.ndjson.folder", "default, in server.data_dir", settings.ndjson.folder);
  }
  SnowflakeExportSettings& snowflake = settings.snowflake;
  if (!snowflake.account.empty() && !reader.has("export.snowflake.base_url")) {
    reader.give(*property("export.snowflake.base_url"), "",
                "https://" + providers::snowflake_host(snowflake.account), Layer::Default,
                "default, from export.snowflake.account");
  }
  snowflake.proxy = proxies.choose(snowflake.base_url);
}

void check_export(Reader& reader) {
  const SnowflakeExportSettings& snowflake = reader.settings.export_.snowflake;
  const std::string path = "export.snowflake";
  needs(reader, !snowflake.private_key_file.empty() && !snowflake.token.empty(), path + ".token",
        "`export.snowflake.token` and `export.snowflake.private_key_file` exclude each other");
  needs(
      reader,
      !snowflake.private_key_file.empty() && (snowflake.account.empty() || snowflake.user.empty()),
      path + ".private_key_file",
      "`export.snowflake.private_key_file` needs `export.snowflake.account` and "
      "`export.snowflake.user`");
}

}  // namespace

void derive(Reader& reader, const Surroundings& around) {
  auto& settings = reader.settings;
  if (reader.has("resilience.timeout") && settings.resilience.timeout.count() > 0 &&
      reader.provenance.of("timeouts.first_byte").size() <= 1) {
    settings.timeouts.first_byte = settings.resilience.timeout;
    note(reader, "timeouts.first_byte", "resilience.timeout", text_of(settings.resilience.timeout));
  }
  const auto proxies = ProxyEnvironment::read(around);
  for (auto& provider : settings.providers) derive_provider(reader, provider, proxies);
  settings.prices.url_proxy = proxies.choose(settings.prices.url);
  if (!settings.prices.url.empty() && !reader.has("prices.file")) {
    settings.prices.file = settings.server.data_dir + "/prices.json";
    note(reader, "prices.file", "default, in server.data_dir", settings.prices.file);
  }
  derive_export(reader, proxies);
  if (!reader.has("ledger.path")) {
    settings.ledger.path = settings.server.data_dir + "/ledger.db";
    note(reader, "ledger.path", "default, in server.data_dir", settings.ledger.path);
  }
  if (!reader.has("ledger.bodies.path")) {
    settings.ledger.bodies.path = settings.server.data_dir + "/bodies.db";
    note(reader, "ledger.bodies.path", "default, in server.data_dir", settings.ledger.bodies.path);
  }
  if (!reader.has("auto.default") && !settings.tasks.empty()) {
    const bool has_chat = settings.route("chat") != nullptr;
    settings.auto_.fallback = has_chat ? "chat" : settings.tasks.front().name;
    note(reader, "auto.default", "default, by tasks", settings.auto_.fallback);
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
  for (const auto& price : settings.prices.credits) {
    check_required(reader, "prices.credits", price.model);
    const auto twice = [&price](const CustomPrice& other) { return other.model == price.model; };
    const std::string path = "prices.credits." + price.model;
    needs(reader, std::any_of(settings.prices.custom.begin(), settings.prices.custom.end(), twice),
          path, fmt::format("`{}` and `prices.custom.{}` exclude each other", path, price.model));
  }
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
  needs(reader, settings.resilience.breaker.max_pause < settings.resilience.breaker.pause,
        "resilience.breaker.max_pause",
        "`resilience.breaker.max_pause` is below `resilience.breaker.pause`");
  check_auto(reader);
  check_export(reader);
  needs(reader, settings.resilience.backoff_cap < settings.resilience.backoff_base,
        "resilience.backoff_cap", "`resilience.backoff_cap` is below `resilience.backoff_base`");
}

}  // namespace sluice::app
