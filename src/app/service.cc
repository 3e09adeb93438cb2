#include "app/service.h"

#include <algorithm>
#include <sys/stat.h>
#include <thread>
#include <utility>

#include "app/listen_address.h"
#include "app/tls_wrapper.h"
#include "app/version.h"

namespace sluice::app {
namespace {

// How often the main thread looks at the configuration file, at signals it may have missed, and at
// a drain's progress.
constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 250'000'000};
constexpr timespec kDrainLook{.tv_sec = 0, .tv_nsec = 5'000'000};

unsigned worker_count(const Settings& settings) {
  if (settings.server.workers > 0) return static_cast<unsigned>(settings.server.workers);
  return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxLanes - 2);
}

// Changes with every write of the file; 0 if it is not there.
int64_t file_stamp(const std::string& path) {
  struct stat info {};
  if (path.empty() || stat(path.c_str(), &info) != 0) return 0;
  return info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec + info.st_size +
         static_cast<int64_t>(info.st_ino);
}

}  // namespace

Result<std::unique_ptr<Service>> Service::start(Loaded loaded, Source source) {
  std::unique_ptr<Service> service(new Service(std::move(loaded), std::move(source)));
  raise_file_limit();
  service->signals_ = block_signals();
  const Settings& settings = service->loaded_.settings;
  Result<std::unique_ptr<TelemetryStack>> telemetry =
      TelemetryStack::open(settings, service->clock_, worker_count(settings));
  if (!telemetry) return std::move(telemetry).error();
  service->telemetry_ = *std::move(telemetry);
  Result<std::unique_ptr<GovernanceStack>> governance =
      GovernanceStack::open(settings, service->clock_, service->telemetry_->take_spent());
  if (!governance) return std::move(governance).error();
  service->governance_ = *std::move(governance);
  if (Result<void> opened = service->open_control(); !opened) return std::move(opened).error();
  if (Result<void> opened = service->open_side_door(); !opened) return std::move(opened).error();
  if (Result<void> opened = service->open_shared(); !opened) return std::move(opened).error();
  if (Result<void> opened = service->open_front_door(); !opened) return std::move(opened).error();
  service->announce();
  service->control_.start();
  return service;
}

Service::Service(Loaded loaded, Source source)
    : loaded_(std::move(loaded)),
      reload_(std::move(source.reload)),
      config_file_(std::move(source.config_file)),
      lasting_(static_cast<uint64_t>(clock_.wall_micros())),
      health_(std::string(kVersion), [this] { return health(); }),
      esc_source_(std::move(source.esc)),
      secrets_key_(std::move(source.secrets_key)) {}

// Workers first: their exchanges hand their rows to the ledger, which then writes what it has. But
// nobody may answer them when they are gone.
Service::~Service() {
  control_.stop();
  if (shared_) shared_->stop();
  workers_.clear();
  side_.reset();
}

Result<void> Service::open_control() {
  Result<std::unique_ptr<ControlDesk>> desk =
      ControlDesk::open({.clock = clock_,
                         .log = telemetry_->log(),
                         .governance = *governance_,
                         .thread = control_,
                         .bodies = telemetry_->bodies(),
                         .ledger_path = loaded_.settings.ledger.path,
                         .data_dir = loaded_.settings.server.data_dir,
                         .config_file = config_file_,
                         .apply =
                             [this](const DirectoryPointer& directory) {
                               in_force_.directory = directory;
                               apply_everywhere();
                             },
                         .reload = [this](std::string_view why) { return reload(why); },
                         .secrets_key = secrets_key_,
                         .tell_others =
                             [this](std::vector<governance::Revocation> revoked) {
                               if (shared_) shared_->revocations().tell(std::move(revoked));
                             }});
  if (!desk) return std::move(desk).error();
  desk_ = *std::move(desk);
  return {};
}

Result<void> Service::open_side_door() {
  resolver_ = std::make_unique<net::Resolver>(clock_);
  Result<std::unique_ptr<SideDoor>> side =
      SideDoor::open({.clock = clock_,
                      .resolver = *resolver_,
                      .health = health_,
                      .control = *desk_,
                      .metrics = [this] { return telemetry_->registry().text(); }},
                     loaded_.settings.server.admin_listen, wants_lab(loaded_.settings));
  if (!side) return std::move(side).error();
  side_ = *std::move(side);
  return {};
}

// The accounts are made first: the others are told what they have spent.
Result<void> Service::open_shared() {
  const Settings& settings = loaded_.settings;
  if (settings.redis.url.empty()) return {};
  Result<ControlDesk::Candidate> callers = desk_->candidate(settings);
  if (!callers) return std::move(callers).error();
  desk_->adopt(*std::move(callers));
  Result<std::unique_ptr<SharedStack>> shared = SharedStack::open(
      settings, {.clock = clock_,
                 .resolver = *resolver_,
                 .accounts = governance_->accounts(),
                 .peers = governance_->peers(),
                 .ledger = telemetry_->ledger(),
                 .revoked = desk_->revoked(),
                 .heard =
                     [this](const std::vector<governance::Revocation>& revoked) {
                       return control_.post([this, revoked] { desk_->hear(revoked); });
                     },
                 .registry = telemetry_->registry(),
                 .log = telemetry_->log()});
  if (!shared) return std::move(shared).error();
  shared_ = *std::move(shared);
  const std::vector<governance::Revocation>& revoked = shared_->revocations().at_start();
  return revoked.empty() ? Result<void>() : desk_->remember(revoked);
}

Result<void> Service::open_front_door() {
  const Settings& settings = loaded_.settings;
  Result<std::shared_ptr<const gateway::Snapshot>> snapshot =
      build_snapshot(settings, snapshot_parts(worker_count(settings)), revision_);
  if (!snapshot) return std::move(snapshot).error();
  app::put_in_force(settings, **snapshot, lasting_);
  lists_ = std::make_unique<ListRefresh>(side_->list_fetcher(), telemetry_->log(),
                                         telemetry_->registry(), clock_);
  lists_->follow(settings, *snapshot, telemetry_->prices());
  price_refresh_ =
      std::make_unique<PriceRefresh>(telemetry_->log(), telemetry_->registry(), clock_);
  price_refresh_->follow(settings.prices);
  esc_ =
      std::make_unique<EscRefresh>(esc_source_, telemetry_->log(), telemetry_->registry(), clock_);
  esc_->follow(settings.secrets.refresh);
  Result<ControlDesk::Candidate> callers = desk_->candidate(settings);
  if (!callers) return std::move(callers).error();
  const unsigned count = worker_count(settings);
  in_force_ = {.snapshot = *snapshot,
               .directory = callers->directory,
               .options = server_options(settings, count)};
  desk_->adopt(*std::move(callers));
  net::StreamWrapper wrap;
  if (const ServerTls& tls = settings.server.tls; !tls.cert_file.empty()) {
    Result<net::StreamWrapper> made = make_tls_wrapper({.cert_file = tls.cert_file,
                                                        .key_file = tls.key_file,
                                                        .client_ca_file = tls.client_ca_file});
    if (!made) return Error(Outcome::BadRequest, made.error().message(), "server.tls");
    wrap = *std::move(made);
  }
  for (unsigned lane = 0; lane < count; ++lane) {
    const Worker::Parts parts{.clock = clock_,
                              .resolver = *resolver_,
                              .ledger = telemetry_->ledger(),
                              .health = health_,
                              .accounts = governance_->accounts(),
                              .limits = shared_ ? &shared_->limits() : nullptr,
                              .bodies = telemetry_->bodies(),
                              .tokenizers = tokenizers_,
                              .lane = lane,
                              .last_key = telemetry_->last_key()};
    workers_.push_back(std::make_unique<Worker>(parts, in_force_));
  }
  Result<net::Address> address = listen_address(settings.server.listen, "server.listen");
  if (!address) return std::move(address).error();
  if (Result<void> listening = listen_on_all(*address, wrap); !listening) return listening;
  for (const std::unique_ptr<Worker>& worker : workers_) worker->start();
  return {};
}

SnapshotParts Service::snapshot_parts(unsigned workers) {
  return {.lab = side_->lab_address(),
          .ledger = telemetry_->ledger(),
          .lasting = lasting_,
          .workers = workers};
}

// With port 0 the first worker's port, which the kernel chose, becomes that of the others.
Result<void> Service::listen_on_all(const net::Address& address, const net::StreamWrapper& wrap) {
  std::optional<net::Address> shared;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    Result<net::Address> listening = worker->listen(shared.value_or(address), wrap);
    if (!listening) return std::move(listening).error();
    shared = *listening;
  }
  api_address_ = shared->text();
  return {};
}

void Service::announce() {
  for (const std::string& note : loaded_.notes) telemetry_->log().info(note);
  if (!shared_ && has_limits(loaded_.settings))
    telemetry_->log().warn(
        "limits and budgets hold for this instance alone: before there are several, set redis.url");
  const std::string scheme = loaded_.settings.server.tls.cert_file.empty() ? "http://" : "https://";
  telemetry_->log().info("serving", {{"api", scheme + api_address_},
                                     {"admin", "http://" + side_->admin_address()},
                                     {"workers", workers_.size()},
                                     {"config", config_file_},
                                     {"version", kVersion}});
}

void Service::run() {
  // The prices are read anew with the rest: with a file of prices that is no such file, all stays.
  struct Stamps {
    int64_t config;
    int64_t prices;
    bool operator==(const Stamps&) const = default;
  };
  const auto look = [this] {
    return Stamps{file_stamp(config_file_), file_stamp(loaded_.settings.prices.file)};
  };
  Stamps in_force = look();
  Stamps seen = in_force;
  for (;;) {
    const int signal = await_signal(signals_, kLook);
    if (asks_to_stop(signal)) break;
    std::unique_lock lock(reloading_);
    Stamps current = look();
    // A file that is still being written could be half of what was meant, and valid.
    const bool there = current.config != 0 || current.prices != 0;
    const bool written = there && current != in_force && current == seen;
    std::string why = esc_->look();
    if (signal == SIGHUP && !esc_->ask()) why = "SIGHUP";
    if (why.empty() && written) why = "a file changed";
    if (why.empty() && again_ && clock_.monotonic() >= again_->at) why = again_->why;
    if (!why.empty()) {
      const std::string prices = loaded_.settings.prices.file;
      lock.unlock();
      control_.run([&] { [[maybe_unused]] const Result<void> logged = reload(why); });
      lock.lock();
      // Of the files as they were before: what was written meanwhile is still to be read.
      if (loaded_.settings.prices.file != prices) current.prices = look().prices;
      in_force = current;
    }
    seen = current;
    load_tokenizers();
    lists_->look([this] { use_lists(); });
  }
  drain();
}

// Here, because unpacking takes longer than a loop may be held up. Counts are estimates until then.
void Service::load_tokenizers() {
  if (Result<void> loaded = tokenizers_.load_wanted(); !loaded) {
    telemetry_->log().error("a tokenizer could not be loaded; tokens are estimated",
                            {{"because", loaded.error().message()}});
  }
}

void Service::drain() {
  control_.stop();
  draining_.store(true);
  telemetry_->log().info("draining",
                         {{"seconds", loaded_.settings.server.drain_timeout.count() / 1000}});
  for (const std::unique_ptr<Worker>& worker : workers_) worker->drain();
  const Nanos end =
      clock_.monotonic() + loaded_.settings.server.drain_timeout.count() * kMillisecond;
  const auto all_idle = [this] {
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const auto& worker) { return worker->idle(); });
  };
  while (!all_idle() && clock_.monotonic() < end) {
    if (asks_to_stop(await_signal(signals_, kDrainLook))) break;
  }
  const bool clean = all_idle();
  if (!clean) {
    for (const std::unique_ptr<Worker>& worker : workers_) worker->cancel_all();
    // Cancelled exchanges still tell their clients and leave their rows.
    const Nanos last = clock_.monotonic() + kSecond;
    while (!all_idle() && clock_.monotonic() < last) await_signal(signals_, kDrainLook);
  }
  telemetry_->log().info("stopped", {{"clean", clean}});
}

std::vector<api::HealthCheck> Service::health() const {
  std::vector<api::HealthCheck> checks;
  checks.push_back({.name = "ledger",
                    .ok = telemetry_->ledger_healthy(),
                    .reason = "rows wait: the store does not take them"});
  checks.push_back({.name = "bodies",
                    .ok = telemetry_->bodies().healthy(),
                    .reason = "prompts and answers wait: their store does not take them",
                    .vital = false});
  checks.push_back({.name = "serving", .ok = !draining_.load(), .reason = "draining"});
  if (shared_) {
    const governance::ShareStatus status = shared_->status();
    checks.push_back({.name = "redis", .ok = status.up, .reason = status.reason, .vital = false});
  }
  // A target that is left alone is told, but others answer in its place.
  for (const routing::HealthTable::Row& row : lasting_.health.rows(clock_.monotonic())) {
    if (row.status.state == routing::Breaker::State::Closed) continue;
    checks.push_back(
        {.name = "target " + row.name, .ok = false, .reason = row.status.text, .vital = false});
  }
  return checks;
}

}  // namespace sluice::app
