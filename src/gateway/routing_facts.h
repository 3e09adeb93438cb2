// What the router is told about an exchange, and what it decides.
#pragma once

#include "gateway/exchange.h"

namespace sluice::gateway {

// Decides the exchange's targets and notes why. Nothing is parsed or copied for a name that the
// configuration knows. Errors: ModelNotFound, BadRequest, Forbidden; see routing::Router::decide.
Result<void> find_route(Exchange& exchange);

// Where this request goes if its prompt does not fit, or a policy forbids it. Requires: its route
// is known. A route whose targets are all local stays so, whatever the rules say: that is what
// restricted data is promised.
const Snapshot::Rules& rules_of(const Exchange& exchange);

}  // namespace sluice::gateway
