#include "telemetry/price.h"

#include <cmath>
#include <utility>

namespace sluice::telemetry {
namespace {

using Wide = __int128;

constexpr int64_t kTokensPerRate = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400'000'000;

void replace(Rates& rates, const Rates& by) {
  if (by.input) rates.input = by.input;
  if (by.cached_input) rates.cached_input = by.cached_input;
  if (by.cache_write) rates.cache_write = by.cache_write;
  if (by.cache_write_1h) rates.cache_write_1h = by.cache_write_1h;
  if (by.output) rates.output = by.output;
}

// Later steps replace earlier ones: announced changes, then the hour, then the length.
Rates rates_for(const Price& price, const chat::Usage& usage, int64_t started_micros,
                uint32_t& notes) {
  Rates rates = price.base;
  for (const Scheduled& step : price.scheduled) {
    if (started_micros < step.from_micros) break;
    replace(rates, step.rates);
    notes |= kScheduled;
  }
  const int64_t of_day = started_micros % kMicrosPerDay;
  for (const TimeOfDay& window : price.time_of_day) {
    if (of_day < window.start_micros || of_day >= window.end_micros) continue;
    replace(rates, window.rates);
    notes |= kTimeOfDay;
  }
  const LongContext* longest = nullptr;
  for (const LongContext& step : price.long_context) {
    if (usage.input() > step.above_prompt_tokens) longest = &step;
  }
  if (longest != nullptr) {
    replace(rates, longest->rates);
    notes |= kLongContext;
  }
  return rates;
}

}  // namespace

std::string_view name_of(CostSource source) {
  switch (source) {
    case CostSource::None:
      return "none";
    case CostSource::Tokens:
      return "tokens";
    case CostSource::Provider:
      return "provider";
    case CostSource::Unpriced:
      return "unpriced";
  }
  return "none";
}

TokenCost cost_of_tokens(const Price& price, const chat::Usage& usage, int64_t started_micros) {
  uint32_t notes = 0;
  const Rates rates = rates_for(price, usage, started_micros, notes);
  const int64_t input = rates.input.value_or(0);
  const int64_t output = rates.output.value_or(0);
  const int64_t cache_write = rates.cache_write.value_or(input);
  if (usage.cache_read > 0 && !rates.cached_input) notes |= kCacheReadAtInput;
  const bool short_unknown = usage.cache_write > 0 && !rates.cache_write;
  const bool long_unknown = usage.cache_write_1h > 0 && !rates.cache_write_1h && !rates.cache_write;
  if (short_unknown || long_unknown) notes |= kCacheWriteAtInput;
  if (usage.audio_input > 0 || usage.audio_output > 0) notes |= kAudioAtText;

  Wide sum = 0;
  sum += static_cast<Wide>(usage.plain_input + usage.audio_input) * input;
  sum += static_cast<Wide>(usage.cache_read) * rates.cached_input.value_or(input);
  sum += static_cast<Wide>(usage.cache_write) * cache_write;
  sum += static_cast<Wide>(usage.cache_write_1h) * rates.cache_write_1h.value_or(cache_write);
  sum += static_cast<Wide>(usage.output()) * output;
  return {static_cast<NanoDollars>((sum + kTokensPerRate / 2) / kTokensPerRate), notes};
}

NanoDollars most_cost(const Price& price, int64_t input, int64_t output, int64_t started_micros) {
  chat::Usage plain;
  plain.plain_input = input;
  plain.visible_output = output;
  NanoDollars most = cost_of_tokens(price, plain, started_micros).cost;
  if (!price.base.cache_write) return most;
  chat::Usage written;
  written.cache_write = input;
  written.visible_output = output;
  return std::max(most, cost_of_tokens(price, written, started_micros).cost);
}

Charge charge_for(const Price* price, const chat::Usage& usage, chat::UsageSource source,
                  Delivered delivered, int64_t started_micros) {
  Charge charge;
  const bool stated = usage.provider_cost && *usage.provider_cost > 0;
  if (source == chat::UsageSource::None && !stated && delivered == Delivered::Nothing) {
    charge.cost = 0;
    return charge;
  }
  if (price != nullptr && source != chat::UsageSource::None) {
    const TokenCost tokens = cost_of_tokens(*price, usage, started_micros);
    charge.table_cost = tokens.cost;
    charge.notes = tokens.notes;
  }
  if (stated) {
    charge.cost = std::llround(*usage.provider_cost * 1e9);
    charge.source = CostSource::Provider;
    return charge;
  }
  charge.cost = std::exchange(charge.table_cost, std::nullopt);
  charge.source = charge.cost ? CostSource::Tokens : CostSource::Unpriced;
  return charge;
}

}  // namespace sluice::telemetry
