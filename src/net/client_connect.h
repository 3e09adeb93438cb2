// Opening a fresh connection to an origin: name, TCP, proxy, TLS.
#pragma once

#include <memory>
#include <vector>

#include "net/client.h"
#include "net/socket.h"
#include "net/stream.h"

namespace sluice::net {

// All within `timeout`. `origin` must live until the task ends. Errors: DnsError, ConnectError,
// ConnectTimeout, TlsError, UpstreamReset (in the TLS handshake), TotalTimeout or the cancel's
// reason.
Task<Result<std::unique_ptr<Stream>>> open_connection(Loop& loop, Resolver& resolver,
                                                      const Origin& origin, Nanos timeout,
                                                      Until until);

// The first address that answers (RFC 8305 in small): each next one is tried as well when those
// before it have failed, or have been silent for 250 ms. Requires: `addresses` is not empty.
Task<Result<std::unique_ptr<Socket>>> connect_to_any(Loop& loop, std::vector<Address> addresses,
                                                     Until until);

}  // namespace sluice::net
