// The doors for those who run the gateway: the admin API with its metrics, and the lab. They share
// one loop and thread of their own with the fetching of lists, so that a scrape never delays a
// request.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/admin_api.h"
#include "app/list_fetcher.h"
#include "app/settings_types.h"
#include "app/upstream_builder.h"
#include "base/thread.h"
#include "net/server.h"
#include "providers/lab.h"

namespace sluice::app {

class SideDoor {
 public:
  struct Parts {
    const Clock& clock;
    net::Resolver& resolver;
    const api::Health& health;
    api::Control& control;
    std::function<std::string()> metrics;
  };
  // Listens and serves; the lab, if it is wanted, on a free port of this machine. Errors name
  // server.admin_listen where it is at fault.
  static Result<std::unique_ptr<SideDoor>> open(Parts parts, const Address& admin, bool lab);
  ~SideDoor();

  const std::string& admin_address() const { return admin_address_; }
  // Without host: not wanted.
  const LabAddress& lab_address() const { return lab_address_; }
  ListFetcher& list_fetcher() { return list_fetcher_; }

 private:
  explicit SideDoor(Parts parts);
  Result<void> listen(const Address& admin, bool lab);

  net::Loop loop_;
  api::AdminApi admin_;
  providers::LabState lab_state_;
  providers::Lab lab_;
  ListFetcher list_fetcher_;
  net::Server admin_server_;
  net::Server lab_server_;
  std::string admin_address_;
  LabAddress lab_address_;
  NamedThread thread_;
};

}  // namespace sluice::app
