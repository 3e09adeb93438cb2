// prices.json: {"_meta": {"as_of": "YYYY-MM-DD", ...}, "models": [entry...]}
//   entry   id, provider; USD per million tokens or null: input, cached_input, cache_write_5m,
//           cache_write_1h, output; optional:
//           long_context [{above_prompt_tokens, rates...}]
//           scheduled    [{from "YYYY-MM-DD", rates...}]
//           time_of_day  [{utc_start "HH:MM:SSZ", utc_end, rates...}]
//           service_tiers {"batch" | "flex" | "priority" | "fast": {rates..., long_context}}
//           max_output   tokens the model writes in one answer at most
//           unit         "credits": rates are Snowflake credits, not dollars
// Other fields are for people.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <simdjson.h>
#include <stdexcept>
#include <utility>

#include "telemetry/model_name.h"
#include "telemetry/price.h"
#include "telemetry/prices_json.h"

namespace sluice::telemetry {
namespace {

namespace dom = simdjson::dom;

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

std::string key_of(std::string_view provider, std::string_view model) {
  std::string key(provider);
  key += '\n';
  key += model;
  return key;
}

std::optional<int> number_at(std::string_view text, size_t from, size_t size) {
  int value = 0;
  if (text.size() < from + size) return std::nullopt;
  const char* end = text.data() + from + size;
  const auto read = std::from_chars(text.data() + from, end, value);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

// "YYYY-MM-DD" as micro-seconds since 1970 UTC.
std::optional<int64_t> date_micros(std::string_view text) {
  const auto year = number_at(text, 0, 4);
  const auto month = number_at(text, 5, 2);
  const auto day = number_at(text, 8, 2);
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) {
    return std::nullopt;
  }
  // Howard Hinnant's days_from_civil.
  const int64_t shifted = *year - (*month <= 2 ? 1 : 0);
  const int64_t era = shifted / 400;
  const int64_t of_era = shifted - era * 400;
  const int64_t of_year = (153 * (*month + (*month > 2 ? -3 : 9)) + 2) / 5 + *day - 1;
  const int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  return days * kMicrosPerDay;
}

// "HH:MM:SSZ" as micro-seconds since midnight.
std::optional<int64_t> clock_micros(std::string_view text) {
  const auto hour = number_at(text, 0, 2);
  const auto minute = number_at(text, 3, 2);
  const auto second = number_at(text, 6, 2);
  if (!hour || !minute || !second) return std::nullopt;
  return (*hour * 3600 + *minute * 60 + *second) * kMicrosPerSecond;
}

class Bad : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Absent and null alike: not stated.
Rate rate_at(dom::object entry, std::string_view field) {
  const auto value = entry[field];
  if (value.error() != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  double dollars = 0;
  if (value.get(dollars) != simdjson::SUCCESS || !(dollars >= 0) || dollars > 1e6) {
    throw Bad(std::string(field) + " is no price");
  }
  return std::llround(dollars * 1e9);
}

Rates rates_at(dom::object entry) {
  return {.input = rate_at(entry, "input"),
          .cached_input = rate_at(entry, "cached_input"),
          .cache_write = rate_at(entry, "cache_write_5m"),
          .cache_write_1h = rate_at(entry, "cache_write_1h"),
          .output = rate_at(entry, "output")};
}

std::string_view text_at(dom::object entry, std::string_view field) {
  std::string_view text;
  if (entry[field].get(text) != simdjson::SUCCESS) throw Bad(std::string(field) + " is missing");
  return text;
}

int64_t required(std::optional<int64_t> value, std::string_view field) {
  if (!value) throw Bad(std::string(field) + " is unreadable");
  return *value;
}

std::vector<LongContext> long_context_at(dom::object entry) {
  std::vector<LongContext> found;
  dom::array steps;
  if (entry["long_context"].get(steps) != simdjson::SUCCESS) return found;
  for (const dom::element element : steps) {
    const dom::object step = element;
    found.push_back({step["above_prompt_tokens"].get_int64(), rates_at(step)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.above_prompt_tokens < b.above_prompt_tokens;
  });
  return found;
}

void read_tiers(dom::object entry, Price& price) {
  dom::object tiers;
  if (entry["service_tiers"].get(tiers) != simdjson::SUCCESS) return;
  for (const auto& [name, element] : tiers) {
    const chat::ServiceTier tier = chat::service_tier_named(name);
    if (tier <= chat::ServiceTier::Standard || tier == chat::ServiceTier::Other) {
      throw Bad("service_tiers." + std::string(name) + " is no tier");
    }
    const dom::object rates = element;
    price.tiers.push_back({tier, rates_at(rates), long_context_at(rates)});
  }
}

void read_steps(dom::object entry, Price& price) {
  dom::array steps;
  price.long_context = long_context_at(entry);
  if (entry["scheduled"].get(steps) == simdjson::SUCCESS) {
    for (const dom::element element : steps) {
      const dom::object step = element;
      const int64_t from = required(date_micros(text_at(step, "from")), "from");
      price.scheduled.push_back({from, rates_at(step)});
    }
    std::sort(price.scheduled.begin(), price.scheduled.end(),
              [](const auto& a, const auto& b) { return a.from_micros < b.from_micros; });
  }
  if (entry["time_of_day"].get(steps) == simdjson::SUCCESS) {
    for (const dom::element element : steps) {
      const dom::object step = element;
      const int64_t start = required(clock_micros(text_at(step, "utc_start")), "utc_start");
      const int64_t end = required(clock_micros(text_at(step, "utc_end")), "utc_end");
      price.time_of_day.push_back({start, end, rates_at(step)});
    }
  }
}

Price price_at(dom::object entry, const std::string& version) {
  Price price;
  price.version = version;
  price.base = rates_at(entry);
  if (!price.base.input || !price.base.output) throw Bad("input and output must be stated");
  read_steps(entry, price);
  read_tiers(entry, price);
  int64_t most = 0;
  if (entry["max_output"].get(most) == simdjson::SUCCESS && most > 0) price.max_output = most;
  std::string_view unit;
  if (entry["unit"].get(unit) == simdjson::SUCCESS) {
    if (unit != "credits" && unit != "usd") throw Bad("unit is neither usd nor credits");
    if (unit == "credits") price.unit = Unit::Credits;
  }
  return price;
}

}  // namespace

// The one place that meets the exceptions of the JSON library.
Result<PriceTable> PriceTable::parse(std::string_view json, std::string_view edition) {
  PriceTable table;
  std::string at = "price catalog";
  try {
    dom::parser parser;
    const simdjson::padded_string padded(json);
    const dom::object root = parser.parse(padded);
    const dom::object meta = root["_meta"];
    const std::string as_of(text_at(meta, "as_of"));
    table.as_of_micros_ = required(date_micros(as_of), "_meta.as_of");
    std::string version = "catalog " + as_of;
    if (!edition.empty()) version.append(" ").append(edition);
    const dom::array models = root["models"];
    for (const dom::element element : models) {
      const dom::object entry = element;
      const std::string vendor = normal_name(text_at(entry, "provider"));
      const std::string model = normal_name(text_at(entry, "id"));
      at = "price catalog, " + vendor + "/" + model;
      table.prices_[key_of(vendor, model)] = price_at(entry, version);
      const auto [known, fresh] = table.vendors_.emplace(model, vendor);
      if (!fresh && known->second != vendor) known->second.clear();
    }
  } catch (const std::exception& problem) {
    return Error(Outcome::BadRequest, at + ": " + problem.what());
  }
  return table;
}

PriceTable PriceTable::built_in() {
  auto table = parse(kPricesJson);
  if (!table) throw std::logic_error(table.error().message());
  return std::move(*table);
}

void PriceTable::merge(PriceTable other) {
  as_of_micros_ = std::max(as_of_micros_, other.as_of_micros_);
  for (auto& [key, price] : other.prices_) prices_[key] = std::move(price);
  for (auto& [model, vendor] : other.vendors_) {
    const auto [known, fresh] = vendors_.emplace(model, vendor);
    if (!fresh && known->second != vendor) known->second.clear();
  }
}

void PriceTable::set_listed(std::string_view provider, std::string_view model,
                            std::optional<Price> price) {
  listed_[key_of(provider, model)] = std::move(price);
}

void PriceTable::set(std::string_view provider, std::string_view model, Price price) {
  own_[key_of(provider, model)] = std::move(price);
}

void PriceTable::set_credit_price(NanoDollars credit_price) {
  for (auto* prices : {&prices_, &own_}) {
    for (auto& [key, price] : *prices) {
      if (price.unit != Unit::Credits) continue;
      price.credit_price = credit_price;
      price.version += " at " + dollars_text(credit_price) + " a credit";
    }
  }
}

void PriceTable::set_terms(std::string_view provider, Terms terms) {
  terms_[std::string(provider)] = terms;
}

Terms PriceTable::terms(std::string_view provider) const {
  const auto found = terms_.find(std::string(provider));
  return found == terms_.end() ? Terms{} : found->second;
}

const Price* PriceTable::exact(std::string_view vendor, std::string_view model) const {
  const auto found = prices_.find(key_of(vendor, model));
  return found == prices_.end() ? nullptr : &found->second;
}

const Price* PriceTable::dated(std::string_view vendor, std::string_view model) const {
  if (const Price* price = exact(vendor, model)) return price;
  const std::string_view bare = without_date(model);
  return bare.size() == model.size() ? nullptr : exact(vendor, bare);
}

PriceTable::Found PriceTable::find(std::string_view provider, std::string_view model,
                                   std::string_view vendor) const {
  const std::string key = key_of(provider, model);
  if (const auto own = own_.find(key); own != own_.end()) return {&own->second, 0};
  if (const auto listed = listed_.find(key); listed != listed_.end()) {
    return {listed->second ? &*listed->second : nullptr, 0};
  }
  const std::string name = normal_name(model);
  if (const Price* price = dated(normal_name(vendor.empty() ? provider : vendor), name)) {
    return {price, 0};
  }
  const std::string_view whole = name;
  if (const size_t slash = whole.find('/'); slash != std::string_view::npos) {
    return {dated(whole.substr(0, slash), whole.substr(slash + 1)), 0};
  }
  for (const std::string_view spelled : {whole, without_date(whole)}) {
    const auto known = vendors_.find(std::string(spelled));
    if (known != vendors_.end() && !known->second.empty()) {
      return {exact(known->second, spelled), kVendorByModel};
    }
  }
  return {};
}

}  // namespace sluice::telemetry
