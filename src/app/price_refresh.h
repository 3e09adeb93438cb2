// Fetches the price catalog of `prices.url` now and then, on a thread of its own, and keeps the
// last good one in `prices.file`. Who watches that file puts it in force.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "app/blocking_call.h"
#include "app/settings.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread.h"

namespace sluice::app {

class PriceRefresh {
 public:
  // All of them outlive it.
  PriceRefresh(Logger& log, Registry& registry, const Clock& clock);
  PriceRefresh(const PriceRefresh&) = delete;
  PriceRefresh& operator=(const PriceRefresh&) = delete;
  ~PriceRefresh();

  // By these settings from now on. Another URL, or one that failed lately, is fetched at once.
  void follow(const PriceSettings& prices);

 private:
  void run();
  // Until it is due, or there is news. False: to be stopped.
  bool await_due(std::unique_lock<std::mutex>& lock);
  // Nothing: what is in the file is the latest.
  std::optional<Error> fetch(const PriceSettings& prices);
  std::optional<Error> keep(const std::string& file, const CallAnswer& answer);
  void note(const std::optional<Error>& failed);

  Logger& log_;
  Registry& registry_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::stop_source stop_;
  PriceSettings prices_;
  bool due_ = false;
  Nanos pause_ = 0;  // before the next try, after a failure; 0: none

  // The thread's own.
  std::string etag_;    // of what is in the file
  std::string reason_;  // why the last try failed; empty: it did not
  std::atomic<Nanos> fetched_at_{0};
  NamedThread thread_;
};

}  // namespace sluice::app
