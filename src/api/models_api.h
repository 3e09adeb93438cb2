// GET /v1/models and /v1/models/{id}: what the caller's key may ask for, from the configuration and
// from the lists that providers gave last, so that it is answered when every upstream is down
// (acceptance AG-7). Anthropic's clients, known by their version header, get that dialect's shape.
#pragma once

#include <string>

#include "gateway/exchange.h"
#include "net/server.h"

namespace sluice::api {

Task<void> list_models(gateway::Shared& shared, net::ServerExchange& http);
Task<void> describe_model(gateway::Shared& shared, net::ServerExchange& http,
                          const std::string& id);

}  // namespace sluice::api
