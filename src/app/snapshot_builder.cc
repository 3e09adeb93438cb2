#include "app/snapshot_builder.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "net/tls.h"

namespace sluice::app {
namespace {

Nanos nanos(Duration duration) {
  return duration.count() * kMillisecond;
}

Result<std::shared_ptr<const net::Origin>> make_origin(const ProviderSettings& provider,
                                                       const LabAddress& lab) {
  auto origin = std::make_shared<net::Origin>();
  origin->idle_timeout = nanos(provider.pool.idle_timeout);
  origin->max_idle = static_cast<size_t>(provider.pool.max_idle);
  if (provider.kind == ProviderKind::Lab) {
    if (lab.host.empty())
      return Error(Outcome::BadRequest, "the built-in lab opens only when the gateway starts",
                   "providers." + provider.name + ".kind");
    origin->host = lab.host;
    origin->port = lab.port;
    return std::shared_ptr<const net::Origin>(std::move(origin));
  }
  origin->host = provider.base_url.host;
  origin->port = provider.base_url.port;
  origin->server_name = provider.tls.server_name;
  if (provider.base_url.tls) {
    Result<std::shared_ptr<const net::TlsClientContext>> tls =
        net::TlsClientContext::make({.ca_file = provider.tls.ca_file,
                                     .cert_file = provider.tls.cert_file,
                                     .key_file = provider.tls.key_file});
    if (!tls)
      return Error(tls.error().outcome(), tls.error().message(),
                   "providers." + provider.name + ".tls");
    origin->tls = *std::move(tls);
  }
  if (!provider.proxy.direct()) {
    origin->proxy_host = provider.proxy.host;
    origin->proxy_port = provider.proxy.port;
    if (!provider.proxy.credentials.empty()) {
      origin->proxy_authorization = "Basic " + base64_encode(provider.proxy.credentials.reveal());
    }
  }
  return std::shared_ptr<const net::Origin>(std::move(origin));
}

Result<std::unique_ptr<const providers::Upstream>> make_upstream(const ProviderSettings& provider,
                                                                 const LabAddress& lab) {
  providers::UpstreamOptions options;
  Result<std::shared_ptr<const net::Origin>> origin = make_origin(provider, lab);
  if (!origin) return std::move(origin).error();
  options.name = provider.name;
  options.origin = *std::move(origin);
  options.base_path = provider.kind == ProviderKind::Lab ? "/v1" : provider.base_url.path;
  options.api_key = provider.kind == ProviderKind::Lab ? Secret("lab") : provider.api_key;
  for (const Header& header : provider.headers)
    options.headers.emplace_back(header.name, header.value);
  options.pass_headers = provider.pass_headers;
  options.drop_headers = provider.drop_headers;
  options.timeouts = {.connect = nanos(provider.timeouts.connect),
                      .first_byte = nanos(provider.timeouts.first_byte),
                      .idle = nanos(provider.timeouts.idle)};
  options.total_timeout = nanos(provider.timeouts.total);
  return std::make_unique<const providers::Upstream>(std::move(options));
}

routing::RouterOptions router_options(const Settings& settings) {
  routing::RouterOptions options;
  for (const ProviderSettings& provider : settings.providers) {
    options.providers.push_back({provider.name, provider.models, provider.open});
  }
  const auto targets = [](const Route& route) {
    std::vector<std::string> texts;
    for (const Target& target : route.targets)
      texts.push_back(target.provider + "/" + target.model);
    return texts;
  };
  // Tiers and aliases arrive expanded, so that an alias is one more ordered list.
  for (const Route& tier : settings.tiers) options.tiers.emplace_back(tier.name, targets(tier));
  for (const Route& alias : settings.aliases)
    options.tiers.emplace_back(alias.name, targets(alias));
  options.default_provider = settings.default_provider;
  return options;
}

gateway::HeartbeatMode heartbeat_mode(HeartbeatMode mode) {
  switch (mode) {
    case HeartbeatMode::Comment:
      return gateway::HeartbeatMode::Comment;
    case HeartbeatMode::Chunk:
      return gateway::HeartbeatMode::Chunk;
    case HeartbeatMode::Off:
      break;
  }
  return gateway::HeartbeatMode::Off;
}

}  // namespace

Result<std::shared_ptr<const gateway::Snapshot>> build_snapshot(const Settings& settings,
                                                                const LabAddress& lab,
                                                                telemetry::Ledger& ledger,
                                                                uint64_t revision) {
  Result<routing::Router> router = routing::Router::make(router_options(settings));
  if (!router) return std::move(router).error();
  auto snapshot = std::make_shared<gateway::Snapshot>(*std::move(router));
  snapshot->revision = revision;
  for (const ProviderSettings& provider : settings.providers) {
    Result<std::unique_ptr<const providers::Upstream>> upstream = make_upstream(provider, lab);
    if (!upstream) return std::move(upstream).error();
    snapshot->upstreams.push_back(*std::move(upstream));
  }
  for (const routing::Slot& slot : snapshot->router.slots()) {
    const std::string& provider = settings.providers[slot.provider].name;
    snapshot->meters.push_back(&ledger.target(provider, slot.model, slot.alias));
  }
  snapshot->retry = {.attempts = static_cast<int>(settings.resilience.attempts),
                     .backoff_base = settings.resilience.backoff == Backoff::None
                                         ? 0
                                         : nanos(settings.resilience.backoff_base),
                     .backoff_cap = nanos(settings.resilience.backoff_cap)};
  snapshot->stream = {.heartbeat = nanos(settings.stream.heartbeat),
                      .heartbeat_mode = heartbeat_mode(settings.stream.heartbeat_mode),
                      .max_event = static_cast<uint32_t>(settings.stream.max_event.count)};
  snapshot->max_body = settings.server.max_body.count;
  return std::shared_ptr<const gateway::Snapshot>(std::move(snapshot));
}

net::ServerOptions server_options(const Settings& settings, unsigned workers) {
  const ServerSettings& server = settings.server;
  net::ServerOptions options;
  options.head.bytes = server.max_head.count;
  options.head.headers = static_cast<size_t>(server.max_headers);
  options.max_body = server.max_body.count;
  // The operator's limits are of the process; each loop gets its share.
  options.max_connections =
      std::max<size_t>(1, static_cast<size_t>(server.max_connections) / workers);
  options.max_inflight_bytes =
      std::max(server.max_inflight_bytes.count / workers, server.max_body.count);
  options.head_timeout = nanos(server.head_timeout);
  options.body_timeout = nanos(server.body_timeout);
  options.keep_alive = nanos(server.keep_alive);
  options.write_timeout = nanos(server.write_timeout);
  return options;
}

bool wants_lab(const Settings& settings) {
  return std::any_of(settings.providers.begin(), settings.providers.end(),
                     [](const ProviderSettings& p) { return p.kind == ProviderKind::Lab; });
}

}  // namespace sluice::app
