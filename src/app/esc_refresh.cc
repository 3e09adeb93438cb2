#include "app/esc_refresh.h"

#include <algorithm>
#include <utility>

#include "telemetry/metric_names.h"

namespace sluice::app {
namespace {

// After a failure the next try comes sooner than `secrets.refresh` says.
constexpr Nanos kSoon = 60 * kSecond;

}  // namespace

void EscRefresh::follow(Duration every) {
  every_ = every;
  const Nanos pause = every_.count() * kMillisecond;
  if (!asked_) due_ = clock_.monotonic() + (reasons_.empty() ? pause : std::min(pause, kSoon));
}

bool EscRefresh::ask() {
  if (source_.environments.names().empty()) return false;
  asked_ = true;
  due_ = clock_.monotonic();
  return true;
}

std::string EscRefresh::look() {
  if (round_ != nullptr) return round_->done.load() ? take() : "";
  const bool due = asked_ || every_.count() > 0;
  if (due && clock_.monotonic() >= due_) start();
  return "";
}

void EscRefresh::start() {
  std::vector<std::string> names = source_.environments.names();
  if (names.empty()) {
    asked_ = false;
    return follow(every_);
  }
  round_ = std::make_unique<Round>();
  round_->asked = std::exchange(asked_, false);
  for (std::string& name : names)
    round_->openings.push_back(
        {.environment = std::move(name), .content = Error(Outcome::Bug, "not opened")});
  thread_ = NamedThread("esc", [this, round = round_.get()] {
    for (EscEnvironments::Opening& opening : round->openings)
      opening.content = source_.open(*read_esc_name(opening.environment), stop_.get_token());
    round->done.store(true);
  });
}

std::string EscRefresh::take() {
  thread_.join();
  bool differs = false;
  // Those that no value comes from any more are not waited for.
  std::erase_if(reasons_, [this](const auto& each) {
    return std::ranges::none_of(round_->openings, [&each](const EscEnvironments::Opening& opening) {
      return opening.environment == each.first;
    });
  });
  for (EscEnvironments::Opening& opening : round_->openings) {
    const std::string environment = opening.environment;
    const Result<bool> adopted = source_.environments.adopt(std::move(opening));
    if (adopted) {
      note_opened(environment);
      differs = differs || *adopted;
    } else {
      note_failed(environment, adopted.error());
    }
  }
  const bool asked = std::exchange(round_, nullptr)->asked;
  follow(every_);
  if (asked) return "SIGHUP";
  return differs ? "a value of an ESC environment changed" : "";
}

void EscRefresh::note_opened(const std::string& environment) {
  namespace metric = telemetry::metric;
  registry_.counter(metric::kEscRefreshes, {environment, "ok"}).add_shared();
  std::shared_ptr<std::atomic<Nanos>>& at = opened_at_[environment];
  if (at != nullptr) {
    at->store(clock_.monotonic());
  } else {
    at = std::make_shared<std::atomic<Nanos>>(clock_.monotonic());
    registry_.watch(metric::kEscAge, {environment},
                    [at, &clock = clock_] { return (clock.monotonic() - at->load()) / kSecond; });
  }
  if (reasons_.erase(environment) > 0)
    log_.info("the ESC environment opens again", {{"environment", environment}});
}

void EscRefresh::note_failed(const std::string& environment, const Error& error) {
  registry_.counter(telemetry::metric::kEscRefreshes, {environment, "error"}).add_shared();
  std::string& reason = reasons_[environment];
  if (reason == error.message()) return;
  reason = error.message();
  log_.warn("the ESC environment could not be opened; its last values stay",
            {{"environment", environment}, {"because", reason}});
}

}  // namespace sluice::app
