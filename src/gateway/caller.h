// Who asks, as the key says, and what that key may be used for.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/snapshot.h"
#include "governance/directory.h"
#include "net/http1.h"
#include "net/server.h"

namespace sluice::gateway {

class Exchange;
struct Shared;

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
// The second half of it alone: for a name that was not the caller's choice.
Result<void> keep_allowed(Exchange& exchange);
// Who may look at what this request makes: the key's team, or the key if it has none. Empty: no key
// is asked for.
std::string owner_of(const Exchange& exchange);

// Who asks for what no model answers.
struct Visitor {
  std::shared_ptr<const governance::Directory> directory;
  const governance::Directory::Entry* caller = nullptr;  // null: no key is asked for
};
// Errors: as identify().
Result<Visitor> visitor_of(const Shared& shared, const net::ServerExchange& http);
// Whether a request for this name, one of the router's, could be served.
bool may_name(const Visitor& visitor, const Snapshot& snapshot, std::string_view name);
// The same for "provider/model".
bool may_use(const Visitor& visitor, const Snapshot& snapshot, std::string_view target);

}  // namespace sluice::gateway
