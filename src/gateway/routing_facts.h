// What the router is told about an exchange, and what it decides.
#pragma once

#include "gateway/exchange.h"

namespace sluice::gateway {

// Decides the exchange's targets and notes why. Nothing is parsed or copied for a name that the
// configuration knows. Errors: ModelNotFound, BadRequest, Forbidden; see routing::Router::decide.
Result<void> find_route(Exchange& exchange);

}  // namespace sluice::gateway
