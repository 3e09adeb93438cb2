// Keeps the lists of providers fresh, on the main thread: asks for those that are due, takes those
// that came, and says so in the log and the metrics.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/list_fetcher.h"
#include "app/model_lists.h"
#include "base/log.h"
#include "base/metrics.h"

namespace sluice::app {

class ListRefresh {
 public:
  // All of them outlive it.
  ListRefresh(ListFetcher& fetcher, Logger& log, Registry& registry, const Clock& clock);

  // A configuration is in force, with the prices it gave.
  void follow(const Settings& settings, std::shared_ptr<const gateway::Snapshot> snapshot,
              std::shared_ptr<const telemetry::PriceTable> prices);
  // To be called several times a second. Calls `use` when prices() and shown() are others than
  // before; a list that the log and the metrics tell of is in use.
  void look(const std::function<void()>& use);

  std::shared_ptr<const telemetry::PriceTable> prices() const { return lists_.priced(*prices_); }
  std::shared_ptr<const gateway::ListedModels> shown() const { return lists_.shown(); }

 private:
  struct Taken {
    std::string provider;
    size_t models = 0;
  };
  std::optional<Taken> take(ListFetcher::Fetched fetched);
  void note_taken(const Taken& taken);
  void note_failed(const ModelLists::Failure& failure, const Error& error);

  ListFetcher& fetcher_;
  Logger& log_;
  Registry& registry_;
  const Clock& clock_;
  ModelLists lists_;
  std::shared_ptr<const gateway::Snapshot> snapshot_;
  std::shared_ptr<const telemetry::PriceTable> prices_;
  // When each provider's list was fetched last; the page of metrics reads it.
  std::map<std::string, std::shared_ptr<std::atomic<Nanos>>> fetched_at_;
};

}  // namespace sluice::app
