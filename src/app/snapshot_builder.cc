#include "app/snapshot_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/router_builder.h"
#include "app/upstream_builder.h"

namespace sluice::app {
namespace {

Nanos nanos(Duration duration) {
  return duration.count() * kMillisecond;
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

gateway::Unsupported unsupported(Unsupported what) {
  switch (what) {
    case Unsupported::Drop:
      return gateway::Unsupported::Drop;
    case Unsupported::Refuse:
      return gateway::Unsupported::Refuse;
    case Unsupported::Skip:
      break;
  }
  return gateway::Unsupported::Skip;
}

routing::BreakerOptions breaker_options(const BreakerSettings& breaker) {
  return {.failures_in_a_row = static_cast<int>(breaker.failures),
          .failure_percent = static_cast<int>(breaker.rate.percent),
          .min_requests = static_cast<int>(breaker.min_requests),
          .pause = nanos(breaker.pause),
          .longest_pause = nanos(breaker.max_pause),
          .probes = static_cast<int>(breaker.probes)};
}

// One per provider and model, whatever it is called as: what is known of a target does not depend
// on the name it was reached by.
void add_targets(const Settings& settings, const SnapshotParts& parts,
                 gateway::Snapshot& snapshot) {
  for (const routing::Slot& slot : snapshot.router.slots()) {
    const std::string& provider = settings.providers[slot.provider].name;
    snapshot.meters.push_back(&parts.ledger.target(provider, slot.model, slot.alias));
    snapshot.traits.push_back(providers::traits_of(slot.model));
    // A name that only a caller knows has no other target that could be preferred to it.
    if (slot.alias.empty() && slot.model == "*") {
      snapshot.breakers.push_back(nullptr);
      continue;
    }
    snapshot.breakers.push_back(parts.lasting.health.breaker(
        provider + "/" + slot.model, breaker_options(settings.resilience.breaker)));
  }
}

// The targets of a rule, as the router knows them.
Result<std::vector<routing::Target>> rule_targets(const Route& rule,
                                                  const routing::Router& router) {
  std::vector<routing::Target> targets;
  for (const Target& target : rule.targets) {
    const std::string name = target.provider + "/" + target.model;
    if (const routing::Route* known = router.find(name)) {
      targets.push_back(known->targets.front());
      continue;
    }
    Result<routing::Route> open = router.resolve_open(name);
    if (!open) return std::move(open).error();
    targets.push_back(open->targets.front());
  }
  return targets;
}

// What a model without a price counts as.
std::unique_ptr<const telemetry::Price> ceiling_of(const GovernanceSettings& settings) {
  if (!settings.ceiling_input.known) return nullptr;
  const auto rate = [](const Price& price) {
    return std::optional(std::llround(price.dollars * kDollar));
  };
  auto ceiling = std::make_unique<telemetry::Price>();
  ceiling->version = "ceiling";
  ceiling->base.input = rate(settings.ceiling_input);
  ceiling->base.output =
      rate(settings.ceiling_output.known ? settings.ceiling_output : settings.ceiling_input);
  return ceiling;
}

Result<void> add_resilience(const Settings& settings, const SnapshotParts& parts,
                            gateway::Snapshot& snapshot) {
  const ResilienceSettings& own = settings.resilience;
  snapshot.retry = {.attempts = static_cast<int>(own.attempts),
                    .backoff_base = own.backoff == Backoff::None ? 0 : nanos(own.backoff_base),
                    .backoff_cap = nanos(own.backoff_cap),
                    .longest_pause = nanos(own.longest_pause)};
  snapshot.budget = &parts.lasting.budget;
  snapshot.pins = &parts.lasting.pins;
  snapshot.ceiling = ceiling_of(settings.governance);
  snapshot.unsupported = unsupported(own.unsupported);
  for (const ProviderSettings& provider : settings.providers) {
    uint16_t stands_for = routing::PlanContext::kNobody;
    for (uint16_t i = 0; i < settings.providers.size(); ++i)
      if (settings.providers[i].name == provider.stands_in_for) stands_for = i;
    snapshot.stands_in_for.push_back(stands_for);
  }
  auto overflow = rule_targets(own.on_context_overflow, snapshot.router);
  if (!overflow) return std::move(overflow).error();
  snapshot.rules.on_context_overflow = *std::move(overflow);
  auto policy = rule_targets(own.on_content_policy, snapshot.router);
  if (!policy) return std::move(policy).error();
  snapshot.rules.on_content_policy = *std::move(policy);
  snapshot.local_rules = snapshot.rules;
  const auto leaves = [&](const routing::Target& target) {
    return !snapshot.upstreams[target.provider]->local();
  };
  std::erase_if(snapshot.local_rules.on_context_overflow, leaves);
  std::erase_if(snapshot.local_rules.on_content_policy, leaves);
  return {};
}

}  // namespace

Result<std::shared_ptr<const gateway::Snapshot>> build_snapshot(const Settings& settings,
                                                                const SnapshotParts& parts,
                                                                uint64_t revision) {
  Result<routing::RouterOptions> options = router_options(settings);
  if (!options) return std::move(options).error();
  Result<routing::Router> router = routing::Router::make(*options);
  if (!router) return std::move(router).error();
  auto snapshot = std::make_shared<gateway::Snapshot>(*std::move(router));
  snapshot->revision = revision;
  for (const ProviderSettings& provider : settings.providers) {
    Result<std::unique_ptr<const providers::Upstream>> upstream =
        make_upstream(provider, parts.lab, parts.workers);
    if (!upstream) return std::move(upstream).error();
    snapshot->upstreams.push_back(*std::move(upstream));
  }
  add_targets(settings, parts, *snapshot);
  if (Result<void> added = add_resilience(settings, parts, *snapshot); !added)
    return std::move(added).error();
  snapshot->stream = {.heartbeat = nanos(settings.stream.heartbeat),
                      .heartbeat_mode = heartbeat_mode(settings.stream.heartbeat_mode),
                      .max_event = static_cast<uint32_t>(settings.stream.max_event.count),
                      .disconnect = settings.stream.disconnect == Disconnect::Drain
                                        ? gateway::Disconnect::Drain
                                        : gateway::Disconnect::Cancel,
                      .drain_limit = nanos(settings.stream.drain_limit),
                      .continues = settings.stream.continue_};
  snapshot->max_body = settings.server.max_body.count;
  return std::shared_ptr<const gateway::Snapshot>(std::move(snapshot));
}

void put_in_force(const Settings& settings, const gateway::Snapshot& snapshot, Lasting& lasting) {
  lasting.budget.set_options({.percent = static_cast<int>(settings.resilience.retry_budget.percent),
                              .reserve = static_cast<int>(settings.resilience.retry_reserve)});
  std::vector<std::string> names;
  for (const auto& breaker : snapshot.breakers)
    if (breaker != nullptr) names.push_back(breaker->name());
  lasting.health.keep_only(names);
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
