// Where a request may go: one target, and the ordered list of them that a decision gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace sluice::routing {

// Limits that stand in place of the provider's own; absent: the provider's.
struct Timeouts {
  std::optional<Nanos> connect;
  std::optional<Nanos> first_byte;
  std::optional<Nanos> idle;
  std::optional<Nanos> total;

  bool any() const { return connect || first_byte || idle || total; }
  // These, and where they say nothing those.
  Timeouts over(const Timeouts& those) const {
    return {.connect = connect ? connect : those.connect,
            .first_byte = first_byte ? first_byte : those.first_byte,
            .idle = idle ? idle : those.idle,
            .total = total ? total : those.total};
  }
};

// A model of a provider. `slot` numbers the (alias, provider, model) triples known from the
// configuration, for whoever keeps something per triple; a model name that only the caller knows
// shares the slot of its provider's others.
struct Target {
  uint16_t provider = 0;
  uint32_t slot = 0;
  std::string model;                   // as the upstream wants it
  const Timeouts* timeouts = nullptr;  // owned by the Router; null: the provider's own
};

struct Route {
  std::string alias;  // tier, alias, route or "task/name" the caller named; empty for a model
  std::vector<Target> targets;
  std::string reason;      // why these: a sentence for the ledger row and its reader
  bool continues = false;  // after a break the next target may be asked to go on from the text sent
  bool fallback = true;    // targets after the first may be tried
};

}  // namespace sluice::routing
