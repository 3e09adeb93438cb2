// Calls the targets of an exchange, in order, until one has answered.
#pragma once

#include "gateway/exchange.h"

namespace sluice::gateway {

// Requires: exchange.route is set. Ends the exchange, whatever happens.
Task<void> dispatch(Exchange& exchange);

}  // namespace sluice::gateway
