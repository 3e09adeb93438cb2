// From settings to what serves: providers with their TLS contexts, the router, the meters of every
// known target.
#pragma once

#include <memory>

#include "app/settings.h"
#include "app/upstream_builder.h"
#include "base/result.h"
#include "gateway/snapshot.h"
#include "net/server.h"
#include "routing/health.h"
#include "telemetry/ledger.h"

namespace sluice::app {

// What outlives every configuration: what is known of targets, and how much may be retried.
struct Lasting {
  explicit Lasting(uint64_t seed) : health(seed), budget({}) {}
  routing::HealthTable health;
  routing::RetryBudget budget;
  gateway::Pins pins;
};

struct SnapshotParts {
  const LabAddress& lab;
  telemetry::Ledger& ledger;
  Lasting& lasting;
  unsigned workers;
};

// Builds all of it or nothing: an error (an unreadable certificate, say) leaves the caller with
// what it had.
Result<std::shared_ptr<const gateway::Snapshot>> build_snapshot(const Settings& settings,
                                                                const SnapshotParts& parts,
                                                                uint64_t revision);

// What a snapshot changes outside itself: to be called once it is the one that serves.
void put_in_force(const Settings& settings, const gateway::Snapshot& snapshot, Lasting& lasting);

net::ServerOptions server_options(const Settings& settings, unsigned workers);

bool wants_lab(const Settings& settings);

}  // namespace sluice::app
