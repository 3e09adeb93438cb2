// The order of things: what every request passes through before a target is called.
#pragma once

#include "gateway/exchange.h"

namespace sluice::gateway {

// Serves one request of the data plane: replies, and leaves one ledger row. An exception is a bug
// of ours: it is caught here, once, and told as such.
Task<void> serve(Shared& shared, net::ServerExchange& http, chat::Endpoint endpoint);
// The same of a request about a response that is stored, whose path ends as `call` says.
Task<void> serve_stored(Shared& shared, net::ServerExchange& http, const StoredCall& call);

// Answers a request that no endpoint takes, and books it like any other. Anthropic's clients, known
// by their version header, are told in their dialect. `headers`: further lines.
Task<void> refuse(Shared& shared, net::ServerExchange& http, Error error, std::string headers = {});

// Books a request that never became one: its head was no HTTP, too large or too slow.
void book_refusal(Shared& shared, const Error& error);

}  // namespace sluice::gateway
