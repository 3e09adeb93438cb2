// One loop thread of the data plane and everything that lives on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/chat_api.h"
#include "base/thread.h"
#include "gateway/exchange.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"

namespace sluice::app {

class Worker {
 public:
  struct Parts {
    const Clock& clock;
    net::Resolver& resolver;
    telemetry::Ledger& ledger;
    const api::Health& health;
    governance::Accounts& accounts;
    governance::SharedLimits* limits;  // null: this instance is alone
    telemetry::BodyStore& bodies;
    const tokens::Tokenizers& tokenizers;
    unsigned lane;
    uint64_t last_key;  // of the ledger: new keys are above it
  };

  // What serves: replaced as a whole.
  struct InForce {
    std::shared_ptr<const gateway::Snapshot> snapshot;
    std::shared_ptr<const governance::Directory> directory;
    net::ServerOptions options;
  };

  Worker(const Parts& parts, InForce in_force);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before start(). The address with the port the kernel chose.
  Result<net::Address> listen(const net::Address& address, net::StreamWrapper wrap);
  void start();

  // From the main thread, carried out on the loop. `applied` runs there once it is.
  void apply(InForce in_force, std::function<void()> applied);
  void show(std::shared_ptr<const gateway::ListedModels> listed, std::function<void()> applied);
  void drain();
  void cancel_all();
  bool idle() const { return idle_.load(std::memory_order_acquire); }
  void stop();

 private:
  net::Loop loop_;
  net::Client client_;
  gateway::Shared shared_;
  api::ChatApi api_;
  net::Server server_;
  std::atomic<bool> idle_{false};
  unsigned lane_;
  NamedThread thread_;
};

}  // namespace sluice::app
