#include "app/model_lists.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <unordered_set>
#include <utility>

#include "app/config_value.h"

namespace sluice::app {
namespace {

constexpr Nanos kFirstPause = 60 * kSecond;

telemetry::Rates rates_of(const providers::ListedRates& rates) {
  return {.input = rates.input,
          .cached_input = rates.cached_input,
          .cache_write = rates.cache_write,
          .cache_write_1h = rates.cache_write_1h,
          .output = rates.output};
}

telemetry::Price price_of(const providers::ListedPrice& listed, const std::string& day) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  telemetry::Price price;
  price.version = "list " + day;
  price.base = rates_of(listed.base);
  for (const providers::ListedStep& step : listed.steps)
    price.long_context.push_back({step.from_prompt_tokens - 1, rates_of(step.rates)});
  for (const providers::ListedHours& hours : listed.hours)
    price.time_of_day.push_back(
        {hours.start * kMicrosPerSecond, hours.end * kMicrosPerSecond, rates_of(hours.rates)});
  return price;
}

std::string day_of(int64_t wall_micros) {
  using namespace std::chrono;
  const year_month_day day{floor<days>(sys_time<microseconds>(microseconds(wall_micros)))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::string source_of(const ProviderSettings& provider) {
  return fmt::format("{} {}", names_of(ProviderKind{})[static_cast<size_t>(provider.kind)],
                     text_of(provider.base_url));
}

}  // namespace

void ModelLists::follow(const Settings& settings, Nanos now) {
  std::vector<Entry> followed;
  for (size_t i = 0; i < settings.providers.size(); ++i) {
    const ProviderSettings& provider = settings.providers[i];
    if (provider.list_refresh.count() == 0) continue;
    const auto known = std::ranges::find_if(entries_, [&](const Entry& entry) {
      return entry.provider == provider.name && entry.source == source_of(provider);
    });
    Entry entry;
    if (known != entries_.end()) {
      entry = std::move(*known);
    } else {
      entry.provider = provider.name;
      entry.source = source_of(provider);
      entry.ticket = ++last_ticket_;
      entry.next = now;
    }
    entry.index = i;
    entry.refresh = provider.list_refresh.count() * kMillisecond;
    entry.show = provider.models.empty();
    entry.next = entry.pause != 0 ? now : std::min(entry.next, now + entry.refresh);
    followed.push_back(std::move(entry));
  }
  entries_ = std::move(followed);
}

std::vector<ModelLists::Due> ModelLists::due(Nanos now) {
  std::vector<Due> found;
  for (Entry& entry : entries_) {
    if (entry.asked || now < entry.next) continue;
    entry.asked = true;
    found.push_back({entry.index, entry.ticket});
  }
  return found;
}

ModelLists::Entry* ModelLists::asked_with(uint64_t ticket) {
  const auto found = std::ranges::find(entries_, ticket, &Entry::ticket);
  if (found == entries_.end()) return nullptr;
  found->asked = false;
  return &*found;
}

const std::string* ModelLists::took(uint64_t ticket, providers::ModelList list, Nanos now,
                                    int64_t wall_micros) {
  Entry* const entry = asked_with(ticket);
  if (entry == nullptr) return nullptr;
  entry->list = std::move(list);
  // Pages shift while they are read.
  std::unordered_set<std::string> seen;
  std::erase_if(entry->list.models,
                [&](const providers::ListedModel& model) { return !seen.insert(model.id).second; });
  entry->day = day_of(wall_micros);
  entry->next = now + entry->refresh;
  entry->pause = 0;
  entry->reason.clear();
  return &entry->provider;
}

// Sooner than the next turn would be, since there may be no list yet; then less and less often.
ModelLists::Failure ModelLists::failed(uint64_t ticket, const std::string& why, Nanos now) {
  Entry* const entry = asked_with(ticket);
  if (entry == nullptr) return {};
  entry->pause = std::min(entry->pause == 0 ? kFirstPause : 2 * entry->pause, entry->refresh);
  entry->next = now + entry->pause;
  const bool news = std::exchange(entry->reason, why) != why;
  return {&entry->provider, news};
}

std::shared_ptr<const telemetry::PriceTable> ModelLists::priced(
    const telemetry::PriceTable& base) const {
  auto table = std::make_shared<telemetry::PriceTable>(base);
  for (const Entry& entry : entries_) {
    if (!entry.list.has_prices) continue;
    for (const providers::ListedModel& model : entry.list.models) {
      std::optional<telemetry::Price> price;
      if (model.price) price = price_of(*model.price, entry.day);
      table->set_listed(entry.provider, model.id, std::move(price));
    }
  }
  return table;
}

std::shared_ptr<const gateway::ListedModels> ModelLists::shown() const {
  auto listed = std::make_shared<gateway::ListedModels>();
  for (const Entry& entry : entries_) {
    if (!entry.show) continue;
    for (const providers::ListedModel& model : entry.list.models)
      listed->models.push_back({entry.provider + "/" + model.id, entry.provider});
  }
  return listed;
}

}  // namespace sluice::app
