// What a client may ask of the gateway itself, in x-sluice- header fields.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http1.h"

namespace sluice::gateway {

struct Wishes {
  std::string_view task;         // x-sluice-task
  bool restricted = false;       // x-sluice-data: restricted
  bool fallback = true;          // x-sluice-fallback: off
  bool cost = false;             // x-sluice-cost: on, to be told what the request cost
  std::optional<Nanos> timeout;  // x-sluice-timeout: seconds for the whole exchange
  // What the request is for: x-sluice-conversation and so on; see attribution.h.
  std::string_view conversation;
  std::string_view session;
  std::string_view workflow;
  std::string_view execution;
  std::string_view mcp_server;
  std::string_view metadata;
  std::string_view baggage;  // the W3C field, which has no prefix
  bool attributes = false;   // any of those seven was given
};

// The field's own wish, if it is one of them. BadRequest names the field and what it takes. Views
// point into the header.
Result<void> read_wish(const net::Header& header, Wishes& wishes);

}  // namespace sluice::gateway
