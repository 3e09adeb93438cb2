// The connection to the other instances: a Redis client and the limits they share, on a loop and a
// thread of their own, so that nothing that serves ever waits for them.
#pragma once

#include <memory>
#include <vector>

#include "app/settings.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/thread.h"
#include "base/time.h"
#include "governance/revocations.h"
#include "governance/shared_limits.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/redis.h"
#include "telemetry/ledger.h"

namespace sluice::app {

class SharedStack {
 public:
  struct Parts {
    const Clock& clock;
    net::Resolver& resolver;
    governance::Accounts& accounts;
    governance::Peers& peers;
    const telemetry::Ledger& ledger;
    std::vector<governance::Revocation> revoked;  // known here
    governance::Revocations::Heard heard;         // on a thread of this stack
    Registry& registry;
    Logger& log;
  };
  // Returns when Redis knows what was spent and revoked here, or does not answer. Requires: a
  // redis.url. The parts outlive it.
  static Result<std::unique_ptr<SharedStack>> open(const Settings& settings, Parts parts);
  ~SharedStack() { stop(); }

  governance::SharedLimits& limits() { return *limits_; }
  governance::Revocations& revocations() { return *revocations_; }
  governance::ShareStatus status() const { return limits_->status(); }
  // Questions are not answered any more. Before the loops that ask are gone; they may ask until
  // then.
  void stop();

 private:
  SharedStack(const Clock& clock) : loop_(clock) {}
  void show(Registry& registry);

  net::Loop loop_;
  std::unique_ptr<net::RedisClient> redis_;
  std::unique_ptr<governance::SharedLimits> limits_;
  std::unique_ptr<governance::Revocations> revocations_;
  NamedThread thread_;
};

}  // namespace sluice::app
