// The running gateway: every object built and wired in one place, in the order they depend on each
// other, and taken apart the other way round. The main thread owns it; it waits for signals while
// the workers serve. Once they do, the control thread alone changes what is in force.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/admin_api.h"
#include "app/config.h"
#include "app/control_desk.h"
#include "app/control_thread.h"
#include "app/esc_refresh.h"
#include "app/governance_stack.h"
#include "app/list_refresh.h"
#include "app/price_refresh.h"
#include "app/shared_stack.h"
#include "app/side_door.h"
#include "app/signals.h"
#include "app/snapshot_builder.h"
#include "app/telemetry_stack.h"
#include "app/worker.h"

namespace sluice::app {

// Loads the configuration anew: for the start and for each reload.
using Reload = std::function<LoadOutcome()>;

class Service {
 public:
  // Builds and starts everything, or says why not.
  struct Source {
    Reload reload;
    std::string config_file;
    EscRefresh::Source esc;
    std::function<Result<std::optional<governance::SecretsKey>>()> secrets_key;
  };
  static Result<std::unique_ptr<Service>> start(Loaded loaded, Source source);
  ~Service();

  // Serves until SIGTERM or SIGINT; then drains: nothing new is taken, what is in hand may finish
  // within the drain time, a second signal cuts it short. SIGHUP, or a change of the file, reloads;
  // SIGHUP once the environments of Pulumi ESC were opened anew.
  void run();

 private:
  Service(Loaded loaded, Source source);

  SnapshotParts snapshot_parts(unsigned workers);
  Result<void> open_control();
  Result<void> open_side_door();
  Result<void> open_shared();
  Result<void> open_front_door();
  Result<void> listen_on_all(const net::Address& address, const net::StreamWrapper& wrap);
  void announce();
  // Errors: the configuration in force stays; the log says why. What the control store could not
  // take, as it is locked or full, is tried again after a while.
  Result<void> reload(std::string_view why);
  Result<void> load_anew(std::string_view why);
  void load_tokenizers();
  Result<void> refuse_reload(const Error& error);
  Result<Worker::InForce> take_callers(const Settings& settings, const std::vector<Change>& changes,
                                       std::shared_ptr<const gateway::Snapshot> snapshot);
  void put_in_force(Loaded loaded, std::shared_ptr<const telemetry::PriceTable> prices);
  void apply_everywhere();
  void use_lists();
  // What a worker is told; it calls the function when its loop has taken it.
  using Tell = std::function<void(Worker&, std::function<void()>)>;
  void tell_all(const Tell& tell);
  void drain();
  std::vector<api::HealthCheck> health() const;

  SystemClock clock_;
  sigset_t signals_{};
  Loaded loaded_;
  Reload reload_;
  std::string config_file_;
  uint64_t revision_ = 1;
  // A reload that is to be tried again.
  struct Again {
    std::string why;
    Nanos at = 0;
  };
  std::optional<Again> again_;
  std::string api_address_;

  Lasting lasting_;
  std::unique_ptr<TelemetryStack> telemetry_;
  std::unique_ptr<GovernanceStack> governance_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<SharedStack> shared_;  // null: this instance is alone
  std::atomic<bool> draining_{false};
  api::Health health_;

  // The main thread looks after what a reload by the admin API changes.
  std::mutex reloading_;
  Worker::InForce in_force_;
  ControlThread control_;
  std::unique_ptr<ControlDesk> desk_;

  std::unique_ptr<SideDoor> side_;
  tokens::Tokenizers tokenizers_;
  std::unique_ptr<ListRefresh> lists_;
  std::unique_ptr<PriceRefresh> price_refresh_;
  EscRefresh::Source esc_source_;
  std::function<Result<std::optional<governance::SecretsKey>>()> secrets_key_;
  std::unique_ptr<EscRefresh> esc_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace sluice::app
