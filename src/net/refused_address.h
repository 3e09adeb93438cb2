// Addresses that no upstream is ever called at, whoever configured it: the link-local ones and
// those where clouds tell a machine who it is and hand out its credentials. A name may come to mean
// one of them at any time, so they are looked at where a connection is made.
#pragma once

#include "net/socket.h"

namespace sluice::net {

// IPv4 within IPv6 (mapped, compatible, NAT64, 6to4) counts as what it carries.
bool is_refused(const Address& address);

}  // namespace sluice::net
