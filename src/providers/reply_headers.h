// The fields of an upstream's reply that pass on to the client: its limits and its ids, and no
// other provider's (acceptance NET-6).
#pragma once

#include <string>
#include <string_view>

#include "net/http1.h"
#include "providers/kind.h"

namespace sluice::providers {

// Appends complete lines. The upstream's request id goes as x-sluice-upstream-request-id, since
// x-request-id is the gateway's own.
enum class PassLimits : uint8_t {
  Yes,
  No,  // the caller has limits of its own with us
};
void append_passed_headers(std::string& out, Kind kind, const net::Headers& upstream,
                           PassLimits limits);

// The id by which the provider's support finds the call; empty if it gave none.
std::string_view upstream_request_id(Kind kind, const net::Headers& upstream);

}  // namespace sluice::providers
