// The order of things: what every request passes through before a target is called.
#pragma once

#include "gateway/exchange.h"

namespace sluice::gateway {

// Serves one request of the data plane: replies, and leaves one ledger row. An exception is a bug
// of ours: it is caught here, once, and told as such.
Task<void> serve(Shared& shared, net::ServerExchange& http, chat::Endpoint endpoint);

}  // namespace sluice::gateway
