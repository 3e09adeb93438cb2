// Keeps the values of Pulumi ESC environments fresh: opens them anew on a thread of its own, and
// says when one that the configuration uses is another than before. All else on the main thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/esc_environments.h"
#include "app/settings_types.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "base/time.h"

namespace sluice::app {

class EscRefresh {
 public:
  struct Source {
    EscEnvironments& environments;
    // Waits for the network, on the thread.
    std::function<Result<Secret>(const EscName&, const std::stop_token&)> open;
  };
  // All of them outlive it.
  EscRefresh(Source source, Logger& log, Registry& registry, const Clock& clock)
      : source_(std::move(source)), log_(log), registry_(registry), clock_(clock) {}
  EscRefresh(const EscRefresh&) = delete;
  EscRefresh& operator=(const EscRefresh&) = delete;
  // Ends an opening that hangs.
  ~EscRefresh() { stop_.request_stop(); }

  // A configuration is in force; zero: nothing is opened anew without being asked.
  void follow(Duration every);
  // Opens all of them now; look() says when that is done. False: there are none.
  bool ask();
  // To be called several times a second. Why the configuration is to be loaded anew: a value
  // differs, or ask() was called; empty: there is no reason.
  std::string look();

 private:
  // What the thread works on; look() takes it when it is done.
  struct Round {
    bool asked = false;  // by ask(), before it began
    std::vector<EscEnvironments::Opening> openings;
    std::atomic<bool> done{false};
  };

  void start();
  std::string take();
  void note_opened(const std::string& environment);
  void note_failed(const std::string& environment, const Error& error);

  Source source_;
  Logger& log_;
  Registry& registry_;
  const Clock& clock_;
  Duration every_{};
  Nanos due_ = 0;
  bool asked_ = false;
  // By environment: why it could not be opened lately; a reason is told once.
  std::map<std::string, std::string> reasons_;
  // When each was opened last; the page of metrics reads it.
  std::map<std::string, std::shared_ptr<std::atomic<Nanos>>> opened_at_;
  std::stop_source stop_;
  std::unique_ptr<Round> round_;
  NamedThread thread_;  // last: it uses the others
};

}  // namespace sluice::app
