// The way one attempt takes: to which target, by which call, with which key and how much patience.
#pragma once

#include <string>

#include "gateway/exchange.h"
#include "providers/model_traits.h"
#include "providers/upstream.h"

namespace sluice::gateway {

struct Way {
  const routing::Target& target;
  const providers::Upstream& upstream;
  providers::Call call = providers::Call::Chat;
  providers::ModelTraits traits;
  size_t key = 0;
  net::CallTimeouts timeouts;  // first_byte: until the first token
  Nanos total = 0;

  // Client and target speak the same: bytes pass through.
  bool same_dialect(chat::Endpoint endpoint) const {
    return providers::endpoint_of(call) == endpoint;
  }
};

// For the target with this key. Nothing: the upstream cannot serve this endpoint.
std::optional<Way> find_way(const Exchange& exchange, const routing::Target& target);

// "openai/gpt-5": as ledger and headers name it.
std::string name_of(const Way& way);

}  // namespace sluice::gateway
