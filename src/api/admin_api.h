// The operator's HTTP face, on a listener of its own: metrics and health, open to whoever reaches
// it, and /admin/v1, for admin tokens.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/control.h"
#include "api/health.h"
#include "net/server.h"

namespace sluice::api {

class AdminApi final : public net::Handler {
 public:
  // `metrics` writes the Prometheus text exposition; called on the loop's thread. `control` does
  // its work elsewhere, and must have ended before the loop goes.
  AdminApi(const Health& health, std::function<std::string()> metrics, Control& control)
      : health_(health), metrics_(std::move(metrics)), control_(control) {}

  Task<void> handle(net::ServerExchange& http) override;
  std::string refuse(Outcome outcome, std::string_view reason) override;

 private:
  Task<void> handle_admin(net::ServerExchange& http);

  const Health& health_;
  std::function<std::string()> metrics_;
  Control& control_;
};

}  // namespace sluice::api
