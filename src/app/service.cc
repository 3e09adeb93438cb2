#include "app/service.h"

#include <algorithm>
#include <latch>
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

// Workers first: their exchanges hand their rows to the ledger, which then writes what it has.
Service::~Service() {
  control_.stop();
  workers_.clear();
  side_.reset();
}

Result<void> Service::open_control() {
  Result<std::unique_ptr<ControlDesk>> desk =
      ControlDesk::open({.clock = clock_,
                         .log = telemetry_->log(),
                         .governance = *governance_,
                         .thread = control_,
                         .data_dir = loaded_.settings.server.data_dir,
                         .config_file = config_file_,
                         .apply =
                             [this](const DirectoryPointer& directory) {
                               in_force_.directory = directory;
                               apply_everywhere();
                             },
                         .reload = [this](std::string_view why) { return reload(why); },
                         .secrets_key = secrets_key_});
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

// A new configuration is checked and built whole before any loop hears of it; with any error the
// old one stays.
Result<void> Service::reload(std::string_view why) {
  const std::lock_guard lock(reloading_);
  LoadOutcome outcome = reload_();
  if (!outcome.loaded) {
    for (const Diagnostic& diagnostic : outcome.diagnostics) {
      telemetry_->log().error(diagnostic.message, {{"file", diagnostic.place.source},
                                                   {"line", diagnostic.place.line},
                                                   {"column", diagnostic.place.column},
                                                   {"key", diagnostic.key},
                                                   {"code", code_of(diagnostic.rule)}});
    }
    telemetry_->log().error("the configuration is not valid; the one in force stays",
                            {{"because", why}});
    telemetry_->note_reload(false, revision_);
    return Error(Outcome::BadRequest, "the configuration is not valid; see the log");
  }
  const std::vector<Change> changes = changes_between(loaded_.settings, outcome.loaded->settings);
  Result<std::shared_ptr<const gateway::Snapshot>> snapshot =
      build_snapshot(outcome.loaded->settings,
                     snapshot_parts(static_cast<unsigned>(workers_.size())), revision_ + 1);
  if (!snapshot) return refuse_reload(snapshot.error());
  Result<std::shared_ptr<const telemetry::PriceTable>> prices =
      load_prices(outcome.loaded->settings);
  if (!prices) return refuse_reload(prices.error());
  Result<Worker::InForce> in_force =
      take_callers(outcome.loaded->settings, changes, *std::move(snapshot));
  if (!in_force) return refuse_reload(in_force.error());
  ++revision_;
  in_force_ = *std::move(in_force);
  put_in_force(*std::move(outcome.loaded), *std::move(prices));
  telemetry_->note_reload(true, revision_);
  telemetry_->log().info("configuration reloaded", {{"because", why},
                                                    {"revision", revision_},
                                                    {"changes", changes.size()},
                                                    {"needs_restart", needing_restart(changes)}});
  return {};
}

Result<void> Service::refuse_reload(const Error& error) {
  telemetry_->log().error("the configuration could not be put in force; the old one stays",
                          {{"because", error.message()}, {"key", error.param()}});
  telemetry_->note_reload(false, revision_);
  return Error(error.outcome(), error.message(), error.param());
}

// The audit row comes before the change: what cannot be written down is none.
Result<Worker::InForce> Service::take_callers(const Settings& settings,
                                              const std::vector<Change>& changes,
                                              std::shared_ptr<const gateway::Snapshot> snapshot) {
  Result<ControlDesk::Candidate> callers = desk_->candidate(settings);
  if (!callers) return std::move(callers).error();
  if (!changes.empty()) {
    if (Result<void> noted = desk_->note_reload(changes); !noted) {
      desk_->undo();
      return std::move(noted).error();
    }
  }
  Worker::InForce in_force{
      .snapshot = std::move(snapshot),
      .directory = callers->directory,
      .options = server_options(settings, static_cast<unsigned>(workers_.size()))};
  desk_->adopt(*std::move(callers));
  return in_force;
}

// Every loop works by the new snapshot before targets are retired that the old one alone named, or
// a request would find its only target gone.
void Service::put_in_force(Loaded loaded, std::shared_ptr<const telemetry::PriceTable> prices) {
  apply_everywhere();
  app::put_in_force(loaded.settings, *in_force_.snapshot, lasting_);
  loaded_ = std::move(loaded);
  lists_->follow(loaded_.settings, in_force_.snapshot, std::move(prices));
  price_refresh_->follow(loaded_.settings.prices);
  esc_->follow(loaded_.settings.secrets.refresh);
  use_lists();
}

// Returns when every loop works by what is in force: only then is a change confirmed.
void Service::apply_everywhere() {
  tell_all([this](Worker& worker, std::function<void()> applied) {
    worker.apply(in_force_, std::move(applied));
  });
}

// Prices first: when every loop shows the new models, none is at work with the old prices.
void Service::use_lists() {
  telemetry_->ledger().use_prices(lists_->prices());
  const std::shared_ptr<const gateway::ListedModels> shown = lists_->shown();
  tell_all([&](Worker& worker, std::function<void()> applied) {
    worker.show(shown, std::move(applied));
  });
}

// Returns when every loop has taken it. The loops run until stop(), which comes after the last
// call.
void Service::tell_all(const Tell& tell) {
  const auto waiting = std::make_shared<std::latch>(static_cast<ptrdiff_t>(workers_.size()));
  for (const std::unique_ptr<Worker>& worker : workers_)
    tell(*worker, [waiting] { waiting->count_down(); });
  waiting->wait();
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
  checks.push_back({.name = "serving", .ok = !draining_.load(), .reason = "draining"});
  // A target that is left alone is told, but others answer in its place.
  for (const routing::HealthTable::Row& row : lasting_.health.rows(clock_.monotonic())) {
    if (row.status.state == routing::Breaker::State::Closed) continue;
    checks.push_back(
        {.name = "target " + row.name, .ok = false, .reason = row.status.text, .vital = false});
  }
  return checks;
}

}  // namespace sluice::app
