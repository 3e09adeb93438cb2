// The operator's HTTP face, on a listener of its own: metrics and health.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/health.h"
#include "net/server.h"

namespace sluice::api {

class AdminApi final : public net::Handler {
 public:
  // `metrics` writes the Prometheus text exposition; called on the loop's thread.
  AdminApi(const Health& health, std::function<std::string()> metrics)
      : health_(health), metrics_(std::move(metrics)) {}

  Task<void> handle(net::ServerExchange& http) override;
  std::string refuse(Outcome outcome, std::string_view reason) override;

 private:
  const Health& health_;
  std::function<std::string()> metrics_;
};

}  // namespace sluice::api
