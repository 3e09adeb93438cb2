#include "app/listen_address.h"

#include <utility>

namespace sluice::app {

Result<net::Address> listen_address(const Address& address, const std::string& setting) {
  const bool v6 = address.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + address.host + "]" : address.host;
  Result<net::Address> parsed = net::Address::parse(host + ":" + std::to_string(address.port));
  if (!parsed) return Error(Outcome::BadRequest, parsed.error().message(), setting);
  if (Result<void> free = net::Listener::check_free(*parsed); !free)
    return Error(Outcome::BadRequest, free.error().message(), setting);
  return parsed;
}

}  // namespace sluice::app
