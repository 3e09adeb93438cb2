// Who asks, as the key says, and what that key may be used for.
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/http1.h"

namespace sluice::gateway {

class Exchange;

// The key a client shows: `Authorization: Bearer`, `x-api-key` or `api-key`, in this order; empty:
// none.
std::string_view presented_key(const net::Headers& headers);

// Sets exchange.caller. Unauthorized where a key is missing, unknown, expired, revoked or not good
// from there; and for callers from elsewhere while no key is configured at all (default-deny).
Result<void> identify(Exchange& exchange);
// Before the route is sought: the endpoint. Forbidden names what the key lacks.
Result<void> check_endpoint(const Exchange& exchange);
// After: leaves only targets the key may use. Forbidden if the name is not the key's to use, or if
// no target is left.
Result<void> check_route(Exchange& exchange);

}  // namespace sluice::gateway
