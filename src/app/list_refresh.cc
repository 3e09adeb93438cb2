#include "app/list_refresh.h"

#include <utility>

#include "telemetry/metric_names.h"

namespace sluice::app {

ListRefresh::ListRefresh(ListFetcher& fetcher, Logger& log, Registry& registry, const Clock& clock)
    : fetcher_(fetcher), log_(log), registry_(registry), clock_(clock) {}

void ListRefresh::follow(const Settings& settings,
                         std::shared_ptr<const gateway::Snapshot> snapshot,
                         std::shared_ptr<const telemetry::PriceTable> prices) {
  lists_.follow(settings, clock_.monotonic());
  snapshot_ = std::move(snapshot);
  prices_ = std::move(prices);
}

void ListRefresh::look(const std::function<void()>& use) {
  std::vector<Taken> all;
  for (ListFetcher::Fetched& fetched : fetcher_.take())
    if (std::optional<Taken> taken = take(std::move(fetched))) all.push_back(*std::move(taken));
  if (!all.empty()) use();
  for (const Taken& taken : all) note_taken(taken);
  for (const ModelLists::Due& due : lists_.due(clock_.monotonic()))
    fetcher_.fetch({.snapshot = snapshot_, .provider = due.provider, .ticket = due.ticket});
}

std::optional<ListRefresh::Taken> ListRefresh::take(ListFetcher::Fetched fetched) {
  const Nanos now = clock_.monotonic();
  if (!fetched.list) {
    const Error& error = fetched.list.error();
    const ModelLists::Failure failure = lists_.failed(fetched.ticket, error.message(), now);
    if (failure.provider != nullptr) note_failed(failure, error);
    return std::nullopt;
  }
  const size_t models = fetched.list->models.size();
  const std::string* const provider =
      lists_.took(fetched.ticket, *std::move(fetched.list), now, clock_.wall_micros());
  if (provider == nullptr) return std::nullopt;
  return Taken{*provider, models};
}

void ListRefresh::note_taken(const Taken& taken) {
  const std::string& provider = taken.provider;
  registry_.counter(telemetry::metric::kListRefreshes, {provider, "ok"}).add_shared();
  std::shared_ptr<std::atomic<Nanos>>& at = fetched_at_[provider];
  if (at != nullptr) {
    at->store(clock_.monotonic());
  } else {
    at = std::make_shared<std::atomic<Nanos>>(clock_.monotonic());
    registry_.watch(telemetry::metric::kListAge, {provider},
                    [at, &clock = clock_] { return (clock.monotonic() - at->load()) / kSecond; });
  }
  log_.info("the list of a provider is here", {{"provider", provider}, {"models", taken.models}});
}

void ListRefresh::note_failed(const ModelLists::Failure& failure, const Error& error) {
  registry_.counter(telemetry::metric::kListRefreshes, {*failure.provider, "error"}).add_shared();
  if (!failure.news) return;
  log_.warn("the list of a provider could not be fetched; the last one stays",
            {{"provider", *failure.provider},
             {"outcome", name_of(error.outcome())},
             {"because", error.message()}});
}

}  // namespace sluice::app
