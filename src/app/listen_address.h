// Where a configured door shall open.
#pragma once

#include <string>

#include "app/settings_types.h"
#include "base/result.h"
#include "net/socket.h"

namespace sluice::app {

// Errors name the setting in `param`: no address of a machine, or another program has the port.
Result<net::Address> listen_address(const Address& address, const std::string& setting);

}  // namespace sluice::app
