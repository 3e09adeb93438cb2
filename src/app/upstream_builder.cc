#include "app/upstream_builder.h"

#include <algorithm>
#include <utility>

#include "app/config_value.h"
#include "app/file_content.h"
#include "base/base64.h"
#include "net/tls.h"
#include "providers/preset.h"
#include "providers/snowflake_jwt.h"

namespace sluice::app {
namespace {

constexpr std::string_view kOpenAiHost = "api.openai.com";

Nanos nanos(Duration duration) {
  return duration.count() * kMillisecond;
}

std::string path_of(const ProviderSettings& provider, std::string_view leaf) {
  return "providers." + provider.name + "." + std::string(leaf);
}

Result<void> set_tls(const ProviderSettings& provider, net::Origin& origin) {
  if (!provider.base_url.tls) return {};
  Result<std::shared_ptr<const net::TlsClientContext>> tls =
      net::TlsClientContext::make({.ca_file = provider.tls.ca_file,
                                   .cert_file = provider.tls.cert_file,
                                   .key_file = provider.tls.key_file});
  if (!tls) return Error(tls.error().outcome(), tls.error().message(), path_of(provider, "tls"));
  origin.tls = *std::move(tls);
  return {};
}

Result<std::shared_ptr<const net::Origin>> make_origin(const ProviderSettings& provider,
                                                       const LabAddress& lab, unsigned workers) {
  auto origin = std::make_shared<net::Origin>();
  origin->idle_timeout = nanos(provider.pool.idle_timeout);
  origin->max_idle = static_cast<size_t>(provider.pool.max_idle);
  // The operator's limits are of the process; each loop gets its share.
  const auto share = [workers](int64_t limit) {
    return static_cast<size_t>((limit + workers - 1) / workers);
  };
  origin->max_connections = share(provider.pool.max_connections);
  origin->max_waiting = share(provider.pool.queue);
  if (provider.kind == ProviderKind::Lab) {
    if (lab.host.empty())
      return Error(Outcome::BadRequest, "the built-in lab opens only when the gateway starts",
                   path_of(provider, "kind"));
    origin->host = lab.host;
    origin->port = lab.port;
    return std::shared_ptr<const net::Origin>(std::move(origin));
  }
  origin->host = provider.base_url.host;
  origin->port = provider.base_url.port;
  origin->server_name = provider.tls.server_name;
  if (Result<void> tls = set_tls(provider, *origin); !tls) return std::move(tls).error();
  if (!provider.proxy.direct()) {
    origin->proxy_host = provider.proxy.host;
    origin->proxy_port = provider.proxy.port;
    if (!provider.proxy.credentials.empty()) {
      origin->proxy_authorization = "Basic " + base64_encode(provider.proxy.credentials.reveal());
    }
  }
  return std::shared_ptr<const net::Origin>(std::move(origin));
}

providers::Kind kind_of(ProviderKind kind) {
  return *providers::kind_named(names_of(ProviderKind{})[static_cast<size_t>(kind)]);
}

providers::AuthStyle auth_of(const ProviderSettings& provider, const providers::Preset* preset) {
  switch (provider.kind) {
    case ProviderKind::Anthropic:
      return providers::AuthStyle::XApiKey;
    case ProviderKind::Portkey:
      return provider.portkey.vendor.empty() ? providers::AuthStyle::Portkey
                                             : providers::AuthStyle::Bearer;
    default:
      return preset != nullptr ? preset->auth : providers::AuthStyle::Bearer;
  }
}

uint32_t weight_of(const ProviderSettings& provider, std::string_view key) {
  for (const auto& [name, weight] : provider.key_weights) {
    int64_t number = 1;
    if (name == key && !assign(number, weight, Limits{})) return static_cast<uint32_t>(number);
  }
  return 1;
}

Result<providers::UpstreamKey> snowflake_key(const ProviderSettings& provider) {
  const CortexSettings& cortex = provider.cortex;
  using providers::AuthStyle;
  const auto fixed = [](AuthStyle style, const Secret& token) {
    return providers::UpstreamKey{.label = providers::key_label("", 0, token),
                                  .credential = providers::make_static_credential(style, token)};
  };
  if (!cortex.token.empty()) return fixed(AuthStyle::SnowflakePat, cortex.token);
  if (!cortex.oauth_token.empty()) return fixed(AuthStyle::SnowflakeOAuth, cortex.oauth_token);
  const std::string path = path_of(provider, "private_key_file");
  Result<std::string> pem = file_content(cortex.private_key_file);
  if (!pem) return Error(Outcome::BadRequest, pem.error().message(), path);
  auto jwt = providers::SnowflakeJwt::make({.account = cortex.account,
                                            .user = cortex.user,
                                            .private_key = Secret(*std::move(pem)),
                                            .passphrase = cortex.private_key_passphrase});
  if (!jwt) return Error(Outcome::BadRequest, jwt.error().message(), path);
  return providers::UpstreamKey{.label = (*jwt)->fingerprint(), .credential = *std::move(jwt)};
}

Result<std::vector<providers::UpstreamKey>> make_keys(const ProviderSettings& provider,
                                                      const providers::Preset* preset) {
  std::vector<providers::UpstreamKey> keys;
  if (provider.kind == ProviderKind::Cortex) {
    Result<providers::UpstreamKey> key = snowflake_key(provider);
    if (!key) return std::move(key).error();
    keys.push_back(*std::move(key));
    return keys;
  }
  const providers::AuthStyle style = auth_of(provider, preset);
  const auto add = [&](std::string_view name, const Secret& key) {
    keys.push_back({.label = providers::key_label(name, keys.size(), key),
                    .weight = weight_of(provider, name),
                    .credential = providers::make_static_credential(style, key)});
  };
  for (const Header& key : provider.keys) add(key.name, key.value);
  if (provider.kind == ProviderKind::Lab) add("", Secret("lab"));
  if (!provider.api_key.empty()) add("", provider.api_key);
  return keys;
}

Result<std::optional<providers::CallSet>> speaks_of(const ProviderSettings& provider,
                                                    const providers::Preset* preset) {
  if (!provider.speaks.empty()) {
    Result<providers::CallSet> named = providers::calls_named(provider.speaks);
    if (!named)
      return Error(Outcome::BadRequest, named.error().message(), path_of(provider, "speaks"));
    return std::optional(*named);
  }
  if (preset != nullptr) return std::optional(preset->speaks);
  using providers::Call;
  // What a server that is only said to be compatible has for certain.
  if (provider.kind == ProviderKind::OpenAi && provider.base_url.host != kOpenAiHost)
    return std::optional(providers::CallSet{Call::Chat, Call::Completions, Call::Embeddings});
  if (provider.kind != ProviderKind::Cortex) return std::optional<providers::CallSet>();
  if (provider.cortex.endpoint == CortexEndpoint::Native)
    return std::optional(providers::CallSet{Call::CortexComplete, Call::CortexEmbed});
  return std::optional(providers::CallSet{Call::Chat, Call::Messages, Call::CortexEmbed});
}

Result<providers::PortkeyOptions> portkey_of(const ProviderSettings& provider) {
  const PortkeySettings& own = provider.portkey;
  providers::PortkeyOptions options;
  options.provider = own.vendor;
  options.custom_host = own.custom_host;
  options.virtual_keys = own.virtual_keys;
  options.metadata = own.metadata;
  options.self_hosted = !own.vendor.empty();
  if (own.config.empty()) return options;
  Result<std::string> config = providers::tamed_portkey_config(own.config);
  if (!config)
    return Error(Outcome::BadRequest, config.error().message(), path_of(provider, "config"));
  options.config = *std::move(config);
  return options;
}

}  // namespace

Result<std::unique_ptr<const providers::Upstream>> make_upstream(const ProviderSettings& provider,
                                                                 const LabAddress& lab,
                                                                 unsigned workers) {
  const providers::Preset* preset = providers::preset_named(provider.preset);
  providers::UpstreamOptions options;
  Result<std::shared_ptr<const net::Origin>> origin = make_origin(provider, lab, workers);
  if (!origin) return std::move(origin).error();
  auto keys = make_keys(provider, preset);
  if (!keys) return std::move(keys).error();
  auto speaks = speaks_of(provider, preset);
  if (!speaks) return std::move(speaks).error();
  auto portkey = portkey_of(provider);
  if (!portkey) return std::move(portkey).error();
  options.name = provider.name;
  options.kind = kind_of(provider.kind);
  options.origin = *std::move(origin);
  options.base_path = provider.kind == ProviderKind::Lab ? "/v1" : provider.base_url.path;
  options.speaks = *std::move(speaks);
  options.keys = *std::move(keys);
  options.portkey = *std::move(portkey);
  for (const Header& header : provider.headers)
    options.headers.emplace_back(header.name, header.value);
  options.pass_headers = provider.pass_headers;
  options.drop_headers = provider.drop_headers;
  options.app_url = provider.openrouter.app_url;
  options.app_title = provider.openrouter.app_title;
  options.routing = provider.openrouter.routing.json;
  options.timeouts = {.queue = nanos(provider.pool.queue_timeout),
                      .connect = nanos(provider.timeouts.connect),
                      .first_byte = nanos(provider.timeouts.first_byte),
                      .idle = nanos(provider.timeouts.idle)};
  options.reasoning_timeout = nanos(provider.timeouts.reasoning);
  options.total_timeout = nanos(provider.timeouts.total);
  options.local = provider.local;
  options.max_output = provider.max_output;
  options.embed_batch = provider.embed_batch.max;
  options.embed_wait = nanos(provider.embed_batch.wait);
  options.old_max_tokens = preset != nullptr && preset->old_max_tokens;
  options.no_stream_options = preset != nullptr && preset->no_stream_options;
  return std::make_unique<const providers::Upstream>(std::move(options));
}

}  // namespace sluice::app
