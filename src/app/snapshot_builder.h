// From settings to what serves: providers with their TLS contexts, the router, the meters of every
// known target.
#pragma once

#include <memory>

#include "app/settings.h"
#include "base/result.h"
#include "gateway/snapshot.h"
#include "net/server.h"
#include "telemetry/ledger.h"

namespace sluice::app {

// Where the built-in lab listens, for providers of that kind.
struct LabAddress {
  std::string host;
  uint16_t port = 0;
};

// Builds all of it or nothing: an error (an unreadable certificate, say) leaves the caller with
// what it had.
Result<std::shared_ptr<const gateway::Snapshot>> build_snapshot(const Settings& settings,
                                                                const LabAddress& lab,
                                                                telemetry::Ledger& ledger,
                                                                uint64_t revision);

net::ServerOptions server_options(const Settings& settings, unsigned workers);

bool wants_lab(const Settings& settings);

}  // namespace sluice::app
