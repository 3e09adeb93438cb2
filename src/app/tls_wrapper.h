// TLS on a listener.
#pragma once

#include <memory>

#include "base/result.h"
#include "net/server.h"
#include "net/tls.h"

namespace sluice::app {

// For Server::listen(). A client that does not finish its handshake in time is dropped.
Result<net::StreamWrapper> make_tls_wrapper(const net::TlsServerContext::Options& options);

}  // namespace sluice::app
