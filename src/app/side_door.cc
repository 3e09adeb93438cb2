#include "app/side_door.h"

#include <utility>

#include "app/listen_address.h"

namespace sluice::app {
namespace {

constexpr uint64_t kMaxAdminBody = 1 << 20;

}  // namespace

Result<std::unique_ptr<SideDoor>> SideDoor::open(Parts parts, const Address& admin, bool lab) {
  std::unique_ptr<SideDoor> door(new SideDoor(std::move(parts)));
  if (Result<void> listening = door->listen(admin, lab); !listening)
    return std::move(listening).error();
  net::Loop& loop = door->loop_;
  door->thread_ = NamedThread("side-door", [&loop] { loop.run(); });
  return door;
}

SideDoor::SideDoor(Parts parts)
    : loop_(parts.clock),
      admin_(parts.health, std::move(parts.metrics), parts.control),
      lab_(lab_state_),
      list_fetcher_(loop_, parts.resolver),
      admin_server_(loop_, admin_, {.max_body = kMaxAdminBody}),
      lab_server_(loop_, lab_, {}) {}

SideDoor::~SideDoor() {
  loop_.stop();
  thread_.join();
}

Result<void> SideDoor::listen(const Address& admin, bool lab) {
  Result<net::Address> address = listen_address(admin, "server.admin_listen");
  if (!address) return std::move(address).error();
  Result<net::Address> listening = admin_server_.listen(*address);
  if (!listening) return std::move(listening).error();
  admin_address_ = listening->text();
  if (!lab) return {};
  Result<net::Address> here = lab_server_.listen(*net::Address::parse("127.0.0.1:0"));
  if (!here) return std::move(here).error();
  lab_address_ = {.host = here->ip_text(), .port = here->port()};
  return {};
}

}  // namespace sluice::app
