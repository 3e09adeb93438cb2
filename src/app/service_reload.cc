// How what is in force gives place to something newer, on every loop.
#include <latch>
#include <utility>

#include "app/service.h"

namespace sluice::app {
namespace {

// Whoever holds the control store, a backup or a command, is done by then.
constexpr Nanos kReloadAgain = 5 * kSecond;

}  // namespace

// Of a value of an ESC environment, or a stored secret, that changed nobody tells a second time.
Result<void> Service::reload(std::string_view why) {
  const std::lock_guard lock(reloading_);
  Result<void> done = load_anew(why);
  again_.reset();
  if (!done && done.error().outcome() == Outcome::Overloaded)
    again_ = Again{.why = std::string(why), .at = clock_.monotonic() + kReloadAgain};
  return done;
}

// A new configuration is checked and built whole before any loop hears of it; with any error the
// old one stays.
Result<void> Service::load_anew(std::string_view why) {
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

}  // namespace sluice::app
