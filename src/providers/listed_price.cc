#include "providers/listed_price.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace sluice::providers {
namespace {

namespace dom = simdjson::dom;

// Dollars per token have the point 15 places left of nano-dollars per million tokens.
constexpr int kDecimals = 15;
constexpr int64_t kMostRate = 1'000'000'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

// Prices of other things than tokens of text; a model may have them and be priced all the same.
constexpr std::array<std::string_view, 7> kBeside = {
    "image", "image_token",  "image_output",     "web_search",
    "audio", "audio_output", "input_audio_cache"};
struct RateField {
  std::string_view name;
  std::optional<int64_t> ListedRates::*rate;
};
constexpr std::array<RateField, 5> kRates = {{
    {"prompt", &ListedRates::input},
    {"completion", &ListedRates::output},
    {"input_cache_read", &ListedRates::cached_input},
    {"input_cache_write", &ListedRates::cache_write},
    {"input_cache_write_1h", &ListedRates::cache_write_1h},
}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number, taken apart: `digits` with the point after the first `whole` of them.
struct Decimal {
  std::string digits;
  int64_t whole = 0;
  bool negative = false;
};

std::optional<Decimal> decimal_of(std::string_view text) {
  constexpr size_t kLongest = 64;
  if (text.size() > kLongest) return std::nullopt;
  Decimal number;
  number.negative = text.starts_with('-');
  if (number.negative) text.remove_prefix(1);
  const auto take_digits = [&] {
    size_t count = 0;
    while (count < text.size() && is_digit(text[count])) ++count;
    number.digits.append(text.substr(0, count));
    text.remove_prefix(count);
    return static_cast<int64_t>(count);
  };
  number.whole = take_digits();
  if (number.whole == 0) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits() == 0) return std::nullopt;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    int exponent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (read.ec != std::errc() || std::abs(exponent) > 100) return std::nullopt;
    number.whole += exponent;
    text.remove_prefix(static_cast<size_t>(read.ptr - text.data()));
  }
  return text.empty() ? std::optional(std::move(number)) : std::nullopt;
}

// "HH:MM" or "HH:MM:SS", with or without a Z, as seconds since midnight.
std::optional<int64_t> seconds_of(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() != 5 && text.size() != 8) return std::nullopt;
  std::array<int64_t, 3> parts{};
  for (size_t at = 0; at < text.size(); at += 3) {
    if (!is_digit(text[at]) || !is_digit(text[at + 1])) return std::nullopt;
    if (at > 0 && text[at - 1] != ':') return std::nullopt;
    parts[at / 3] = (text[at] - '0') * 10 + (text[at + 1] - '0');
  }
  if (parts[0] > 24 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  const int64_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  return seconds <= kSecondsPerDay ? std::optional(seconds) : std::nullopt;
}

void replace(ListedRates& rates, const ListedRates& by) {
  for (const RateField& field : kRates)
    if (by.*field.rate) rates.*field.rate = by.*field.rate;
}

class PricingReader {
 public:
  std::optional<ListedPrice> read(dom::object pricing) {
    ListedPrice price;
    price.base = rates(pricing);
    if (!price.base.input || !price.base.output) return std::nullopt;
    // Which side of a discount the rates are on, the list does not say.
    dom::element discount;
    if (pricing["discount"].get(discount) == simdjson::SUCCESS && !discount.is_null()) {
      double share = 0;
      if (discount.get(share) != simdjson::SUCCESS) broken_ = "discount";
      if (share != 0) untold_ = true;
    }
    dom::element overrides;
    if (pricing["overrides"].get(overrides) == simdjson::SUCCESS && !overrides.is_null())
      read_overrides(overrides, price);
    if (untold_ || failed()) return std::nullopt;
    return price;
  }
  bool failed() const { return !broken_.empty(); }
  // The field that is no price.
  std::string_view broken() const { return broken_; }

 private:
  std::optional<int64_t> rate(dom::object from, std::string_view field) {
    dom::element value;
    if (from[field].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    std::string_view text;
    std::optional<int64_t> found;
    if (value.get(text) == simdjson::SUCCESS) found = rate_of_dollars(text);
    if (!found) broken_ = field;
    if (found.value_or(0) < 0) untold_ = true;
    return found;
  }

  ListedRates rates(dom::object from) {
    ListedRates rates;
    for (const RateField& field : kRates) rates.*field.rate = rate(from, field.name);
    if (rate(from, "request").value_or(0) != 0) untold_ = true;
    const int64_t thinking = rate(from, "internal_reasoning").value_or(0);
    if (thinking != 0 && thinking != rates.output) untold_ = true;
    return rates;
  }

  void read_overrides(dom::element overrides, ListedPrice& price) {
    dom::array list;
    if (overrides.get(list) != simdjson::SUCCESS) {
      untold_ = true;
      return;
    }
    for (const dom::element each : list) {
      dom::object entry;
      if (each.get(entry) != simdjson::SUCCESS || !is_known(entry)) {
        untold_ = true;
        return;
      }
      read_override(entry, price);
    }
    // Which of the two would win, the table of prices decides otherwise than the list.
    if (!price.steps.empty() && !price.hours.empty()) untold_ = true;
  }

  // A condition that is not known would apply the rates where they are not meant.
  static bool is_known(dom::object entry) {
    return std::ranges::all_of(entry, [](const dom::key_value_pair& member) {
      const std::string_view key = member.key;
      const auto is_rate = [key](const RateField& field) { return field.name == key; };
      return key == "min_prompt_tokens" || key == "utc_start" || key == "utc_end" ||
             key == "request" || key == "internal_reasoning" ||
             std::ranges::any_of(kRates, is_rate) ||
             std::ranges::find(kBeside, key) != kBeside.end();
    });
  }

  void read_override(dom::object entry, ListedPrice& price) {
    ListedRates own = rates(entry);
    int64_t tokens = 0;
    std::string_view start;
    std::string_view end;
    const bool long_prompt = entry["min_prompt_tokens"].get(tokens) == simdjson::SUCCESS;
    const bool hours = entry["utc_start"].get(start) == simdjson::SUCCESS &&
                       entry["utc_end"].get(end) == simdjson::SUCCESS;
    const bool half = !hours && (entry["utc_start"].error() == simdjson::SUCCESS ||
                                 entry["utc_end"].error() == simdjson::SUCCESS);
    if (long_prompt == hours || half) {
      untold_ = true;
    } else if (long_prompt) {
      add_step(tokens, std::move(own), price);
    } else {
      add_hours(start, end, own, price);
    }
  }

  void add_step(int64_t tokens, ListedRates own, ListedPrice& price) {
    if (tokens < 1) untold_ = true;
    if (!price.steps.empty()) {
      if (tokens <= price.steps.back().from_prompt_tokens) untold_ = true;
      ListedRates all = price.steps.back().rates;
      replace(all, own);
      own = all;
    }
    price.steps.push_back({tokens, own});
  }

  // Hours over midnight are two stretches of a day.
  void add_hours(std::string_view start, std::string_view end, const ListedRates& own,
                 ListedPrice& price) {
    const std::optional<int64_t> from = seconds_of(start);
    const std::optional<int64_t> to = seconds_of(end);
    if (!from || !to || *from == *to) {
      untold_ = true;
    } else if (*from < *to) {
      price.hours.push_back({*from, *to, own});
    } else {
      if (*from < kSecondsPerDay) price.hours.push_back({*from, kSecondsPerDay, own});
      if (*to > 0) price.hours.push_back({0, *to, own});
    }
  }

  std::string_view broken_;
  bool untold_ = false;
};

}  // namespace

std::optional<int64_t> rate_of_dollars(std::string_view text) {
  const std::optional<Decimal> number = decimal_of(text);
  if (!number) return std::nullopt;
  // So many digits count, the next one rounds.
  const int64_t count = number->whole + kDecimals;
  int64_t rate = 0;
  for (int64_t i = 0; i < count; ++i) {
    const bool there = i < static_cast<int64_t>(number->digits.size());
    rate = rate * 10 + (there ? number->digits[static_cast<size_t>(i)] - '0' : 0);
    if (rate > kMostRate) return std::nullopt;
  }
  const bool has_next = count >= 0 && count < static_cast<int64_t>(number->digits.size());
  if (has_next && number->digits[static_cast<size_t>(count)] >= '5') ++rate;
  if (rate > kMostRate) return std::nullopt;
  return number->negative ? -rate : rate;
}

Result<std::optional<ListedPrice>> read_openrouter_price(dom::object pricing) {
  PricingReader reader;
  std::optional<ListedPrice> price = reader.read(pricing);
  if (reader.failed()) {
    return Error(Outcome::UpstreamBadReply,
                 "`" + std::string(reader.broken()) + "` is no price in dollars");
  }
  return price;
}

}  // namespace sluice::providers
