#include "telemetry/price.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sluice::telemetry {
namespace {

using Wide = __int128;

constexpr int64_t kTokensPerRate = 1'000'000;
constexpr int64_t kNanosPerUnit = 1'000'000'000;
constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400'000'000;

void replace(Rates& rates, const Rates& by) {
  if (by.input) rates.input = by.input;
  if (by.cached_input) rates.cached_input = by.cached_input;
  if (by.cache_write) rates.cache_write = by.cache_write;
  if (by.cache_write_1h) rates.cache_write_1h = by.cache_write_1h;
  if (by.output) rates.output = by.output;
}

const LongContext* step_for(const std::vector<LongContext>& steps, const chat::Usage& usage) {
  const LongContext* longest = nullptr;
  for (const LongContext& step : steps) {
    if (usage.input() > step.above_prompt_tokens) longest = &step;
  }
  return longest;
}

const TierRates* tier_for(const Price& price, chat::ServiceTier tier) {
  for (const TierRates& rates : price.tiers) {
    if (rates.tier == tier) return &rates;
  }
  return nullptr;
}

// Later steps replace earlier ones: announced changes, then the hour, then the tier, then the
// length.
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
  const LongContext* longest = step_for(price.long_context, usage);
  const TierRates* tier = tier_for(price, usage.tier);
  if (tier != nullptr) {
    replace(rates, tier->rates);
    notes |= kTier;
    const LongContext* own = step_for(tier->long_context, usage);
    // A long request in a tier that states no rates for it: the standard rates for long ones.
    if (own == nullptr && longest != nullptr) notes |= kTierAtStandard;
    if (own != nullptr) longest = own;
  } else if (usage.tier > chat::ServiceTier::Standard) {
    notes |= kTierAtStandard;
  }
  if (longest != nullptr) {
    replace(rates, longest->rates);
    notes |= kLongContext;
  }
  return rates;
}

// `sum` in whole units, rounded half up.
int64_t rounded(Wide sum, Wide unit) {
  return static_cast<int64_t>((sum + unit / 2) / unit);
}

NanoDollars nano_of(double dollars) {
  return std::llround(dollars * 1e9);
}

// More than 5 % apart, and more than what rounding on either side can make.
bool drifted(NanoDollars told, NanoDollars table) {
  constexpr NanoDollars kRounding = 1'000;
  const NanoDollars apart = told > table ? told - table : table - told;
  return apart > kRounding && static_cast<Wide>(apart) * 20 > table;
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
  if (price.unit == Unit::Dollars) {
    return {.cost = rounded(sum, kTokensPerRate), .credits = std::nullopt, .notes = notes};
  }
  TokenCost cost{.cost = std::nullopt, .credits = rounded(sum, kTokensPerRate), .notes = notes};
  if (price.credit_price) {
    cost.cost = rounded(sum * *price.credit_price, Wide{kTokensPerRate} * kNanosPerUnit);
  }
  return cost;
}

NanoDollars most_cost(const Price& price, int64_t input, int64_t output, chat::ServiceTier tier,
                      int64_t started_micros) {
  chat::Usage plain;
  plain.plain_input = input;
  plain.visible_output = output;
  plain.tier = tier;
  chat::Usage written = plain;
  std::swap(written.plain_input, written.cache_write);
  return std::max(cost_of_tokens(price, plain, started_micros).cost.value_or(0),
                  cost_of_tokens(price, written, started_micros).cost.value_or(0));
}

NanoDollars marked_up(NanoDollars cost, Terms terms) {
  return rounded(static_cast<Wide>(cost) * (kMillion + terms.markup_ppm), kMillion);
}

std::optional<NanoDollars> charged_for(const Charge& charge, bool own_key, Terms terms) {
  if (!charge.cost) return std::nullopt;
  if (!own_key || !terms.upstream_counts) return marked_up(*charge.cost, terms);
  if (!charge.upstream_cost) return std::nullopt;
  return marked_up(*charge.cost + *charge.upstream_cost, terms);
}

Charge charge_for(const Price* price, const chat::Usage& usage, chat::UsageSource source,
                  Delivered delivered, int64_t started_micros) {
  Charge charge;
  const bool stated = usage.provider_cost && (*usage.provider_cost > 0 || usage.own_key);
  if (source == chat::UsageSource::None && !stated && delivered == Delivered::Nothing) {
    charge.cost = 0;
    return charge;
  }
  if (price != nullptr && source != chat::UsageSource::None) {
    const TokenCost tokens = cost_of_tokens(*price, usage, started_micros);
    charge.table_cost = tokens.cost;
    charge.credits = tokens.credits;
    charge.notes = tokens.notes;
  }
  if (usage.own_key) {
    charge.upstream_cost = usage.upstream_cost ? nano_of(*usage.upstream_cost) : charge.table_cost;
    if (!usage.upstream_cost && charge.table_cost) charge.notes |= kUpstreamByTable;
  }
  if (stated) {
    charge.cost = nano_of(*usage.provider_cost);
    charge.source = CostSource::Provider;
    // The table knows what models cost, not what intermediaries take for passing a call on.
    const std::optional<NanoDollars> told = usage.own_key ? charge.upstream_cost : charge.cost;
    if (told && charge.table_cost && drifted(*told, *charge.table_cost)) {
      charge.notes |= kPriceDrift;
    }
  } else {
    charge.cost = std::exchange(charge.table_cost, std::nullopt);
    charge.source = charge.cost ? CostSource::Tokens : CostSource::Unpriced;
  }
  return charge;
}

}  // namespace sluice::telemetry
