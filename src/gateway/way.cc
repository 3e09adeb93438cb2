#include "gateway/way.h"

namespace sluice::gateway {
namespace {

// Known beforehand, unless the slot is that of any model of its provider.
providers::ModelTraits traits_of(const Snapshot& snapshot, const routing::Target& target) {
  if (target.slot < snapshot.upstreams.size()) return providers::traits_of(target.model);
  return snapshot.traits[target.slot];
}

}  // namespace

std::optional<Way> find_way(const Exchange& exchange, const routing::Target& target) {
  const providers::Upstream& upstream = *exchange.snapshot->upstreams[target.provider];
  const std::optional<providers::Call> call =
      upstream.call_for(exchange.request.endpoint, target.model);
  if (!call) return std::nullopt;
  Way way{.target = target,
          .upstream = upstream,
          .call = *call,
          .traits = traits_of(*exchange.snapshot, target)};
  way.timeouts = upstream.timeouts();
  way.total = upstream.total_timeout();
  // A model that thinks first may be silent for long, and so may one that was asked to.
  const bool may_think = exchange.request.reasons || way.traits.reasons;
  if (may_think && exchange.stored == nullptr) {
    way.timeouts.first_byte = upstream.reasoning_timeout();
  }
  if (const routing::Timeouts* own = target.timeouts; own != nullptr) {
    way.timeouts.connect = own->connect.value_or(way.timeouts.connect);
    way.timeouts.first_byte = own->first_byte.value_or(way.timeouts.first_byte);
    way.timeouts.idle = own->idle.value_or(way.timeouts.idle);
    way.total = own->total.value_or(way.total);
  }
  return way;
}

std::string name_of(const Way& way) {
  return way.upstream.name() + "/" + way.target.model;
}

}  // namespace sluice::gateway
