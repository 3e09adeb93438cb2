// Whether the process lives, and whether it should be given traffic, with reasons: /livez, /readyz,
// /version.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "net/server.h"

namespace sluice::api {

struct HealthCheck {
  std::string name;
  bool ok = true;
  std::string reason;  // why not; empty when ok
  bool vital = true;   // without it this instance wants no traffic
};

class Health {
 public:
  // Called for each /readyz, on the thread of the asking loop: must be quick and thread-safe.
  using Checks = std::function<std::vector<HealthCheck>()>;
  Health(std::string version, Checks checks)
      : version_(std::move(version)), checks_(std::move(checks)) {}

  // True if `path` is one of ours; then `reply` answers it.
  static bool answers(std::string_view path);
  Task<void> reply(net::ServerExchange& http, std::string_view path) const;

 private:
  std::string version_;
  Checks checks_;
};

}  // namespace sluice::api
