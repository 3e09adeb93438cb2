// A list of models may be anything: what is taken from it are names that can be shown and prices
// that can be reckoned with, or nothing at all.
#include <cstdlib>
#include <string_view>

#include "providers/model_list.h"
#include "wire/json.h"

namespace {

namespace providers = sluice::providers;

constexpr int64_t kMostRate = 1'000'000'000'000'000;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_rates(const providers::ListedRates& rates) {
  for (const auto& rate :
       {rates.input, rates.cached_input, rates.cache_write, rates.cache_write_1h, rates.output})
    check(!rate || (*rate >= 0 && *rate <= kMostRate));
}

void check_price(const providers::ListedPrice& price) {
  check(price.base.input && price.base.output);
  check_rates(price.base);
  int64_t last = 0;
  for (const providers::ListedStep& step : price.steps) {
    check(step.from_prompt_tokens > last);
    last = step.from_prompt_tokens;
    check_rates(step.rates);
  }
  for (const providers::ListedHours& hours : price.hours) {
    check(0 <= hours.start && hours.start < hours.end && hours.end <= 86'400);
    check_rates(hours.rates);
  }
  check(price.steps.empty() || price.hours.empty());
}

}  // namespace

// The first byte chooses the kind; of the rest, each reading is a list, a price and a JSON text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const auto kind = data[0] % 2 == 0 ? providers::Kind::OpenRouter : providers::Kind::Cortex;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (const auto rate = providers::rate_of_dollars(text))
    check(-kMostRate <= *rate && *rate <= kMostRate);
  const auto list = providers::read_model_list(kind, text);
  if (!list) {
    check(list.error().outcome() == sluice::Outcome::UpstreamBadReply);
    return 0;
  }
  check(list->models.size() <= providers::kMostListedModels);
  for (const providers::ListedModel& model : list->models) {
    check(!model.id.empty() && sluice::json::is_utf8(model.id));
    if (model.price) check_price(*model.price);
    check(list->has_prices || !model.price);
  }
  return 0;
}
