// The data plane's HTTP face: one table of routes, and refusals that say what would have been
// right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/health.h"
#include "gateway/pipeline.h"
#include "net/server.h"

namespace sluice::api {

// Belongs to one loop.
class ChatApi final : public net::Handler {
 public:
  ChatApi(gateway::Shared& shared, const Health& health) : shared_(shared), health_(health) {}

  Task<void> handle(net::ServerExchange& http) override;
  std::string refuse(Outcome outcome, std::string_view reason) override;

 private:
  Task<void> ask_stored(net::ServerExchange& http,
                        const std::vector<const gateway::StoredCall*>& calls);
  Task<void> read(net::ServerExchange& http, std::string_view path);
  Task<void> no_such_route(net::ServerExchange& http, std::string_view path);

  gateway::Shared& shared_;
  const Health& health_;
};

}  // namespace sluice::api
