// What a call costs. One function prices streamed and buffered calls alike, from the usage alone.
//
// Money is nano-dollars in int64 (9.2 billion dollars fit), computed in wider integers and rounded
// half up once per row. A missing price is missing: no cost, never zero (acceptance PRICE-1); a
// price of 0 is a price (PRICE-3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "wire/chat.h"

namespace sluice::telemetry {

// Nano-dollars per million tokens; absent: the source does not state it.
using Rate = std::optional<int64_t>;

struct Rates {
  Rate input;
  Rate cached_input;
  Rate cache_write;  // short lifetime
  Rate cache_write_1h;
  Rate output;
  friend bool operator==(const Rates&, const Rates&) = default;
};

// The rules of the price file: stated rates replace the base rates, unstated ones stay.
struct LongContext {
  int64_t above_prompt_tokens = 0;
  Rates rates;  // for the whole request
  friend bool operator==(const LongContext&, const LongContext&) = default;
};
struct Scheduled {
  int64_t from_micros = 0;  // since 1970 UTC
  Rates rates;
  friend bool operator==(const Scheduled&, const Scheduled&) = default;
};
struct TimeOfDay {
  int64_t start_micros = 0;  // since midnight UTC
  int64_t end_micros = 0;
  Rates rates;
  friend bool operator==(const TimeOfDay&, const TimeOfDay&) = default;
};

// Of a service tier. Its own long-context rates stand in it.
struct TierRates {
  chat::ServiceTier tier = chat::ServiceTier::Standard;
  Rates rates;
  std::vector<LongContext> long_context;  // rising
  friend bool operator==(const TierRates&, const TierRates&) = default;
};

enum class Unit : uint8_t { Dollars, Credits };

struct Price {
  // Where it comes from: "catalog 2026-11-23", "list 2026-11-23" of the provider itself, "config".
  std::string version;
  Rates base;                             // input and output are present
  std::vector<LongContext> long_context;  // rising
  std::vector<Scheduled> scheduled;       // rising
  std::vector<TimeOfDay> time_of_day;
  std::vector<TierRates> tiers;
  // Rates are in Snowflake credits, nano-credits per million tokens; what a credit costs may be
  // unknown, and then the cost is.
  Unit unit = Unit::Dollars;
  std::optional<NanoDollars> credit_price;
  std::optional<int64_t> max_output;  // tokens the model writes in one answer at most
  friend bool operator==(const Price&, const Price&) = default;
};

enum class CostSource : uint8_t { None, Tokens, Provider, Unpriced };

// "none", "tokens", "provider", "unpriced".
std::string_view name_of(CostSource source);

// What went into a cost beyond the plain rates, as bits: the row says so (acceptance TOK-7).
enum PriceNote : uint32_t {
  kCacheReadAtInput = 1,   // no rate for cache reads: the input rate
  kCacheWriteAtInput = 2,  // no rate for cache writes: the input rate
  kAudioAtText = 4,        // no rates for audio: those of text
  kLongContext = 8,
  kScheduled = 16,
  kTimeOfDay = 32,
  kByAnsweredModel = 64,    // the configured name has no price, the name in the reply has one
  kVendorByModel = 128,     // the provider is not in the catalog; the model's name is, once
  kTier = 256,              // the rates of a service tier
  kTierAtStandard = 512,    // billed in a tier whose rates nobody stated: the standard rates
  kUpstreamByTable = 1024,  // what the own account was charged is an estimate by the table
  kPriceDrift = 2048,       // the provider's figure and the table's differ by more than 5 %
};

// What the operator's own books add to a provider's prices.
struct Terms {
  int32_t markup_ppm = 0;  // millionths of the cost; 125'000 is 12.5 %
  // What an upstream charges to the caller's own account counts beside the intermediary's charge.
  bool upstream_counts = true;
  friend bool operator==(const Terms&, const Terms&) = default;
};

struct Charge {
  // What the providers of all attempts take. Nothing: nobody knows.
  std::optional<NanoDollars> cost;
  CostSource source = CostSource::None;
  std::optional<NanoDollars> table_cost;  // beside the provider's own figure
  // Beside `cost`: what the upstream of an intermediary took from the caller's own account there
  // (acceptance TOK-6).
  std::optional<NanoDollars> upstream_cost;
  std::optional<int64_t> credits;  // nano-credits, where the price is in credits
  // Against the caller's budgets: charged_for(), or where that is unknown what was held for the
  // request. The ledger's to fill in.
  NanoDollars charged = 0;
  uint32_t notes = 0;
  NanoDollars attempts_cost = 0;  // the part of it that attempts spent which came to nothing
  int attempts_unknown = 0;       // those of them that may have cost more, nobody knows what
};

// In the price's unit and, where the unit's price is known, in dollars.
struct TokenCost {
  std::optional<NanoDollars> cost;
  std::optional<int64_t> credits;
  uint32_t notes = 0;
};

// By the table alone.
TokenCost cost_of_tokens(const Price& price, const chat::Usage& usage, int64_t started_micros);

// The most that so many tokens can come to, whatever part of the input is written to a cache.
// Requires: a price in dollars, or in credits whose price is known.
NanoDollars most_cost(const Price& price, int64_t input, int64_t output, chat::ServiceTier tier,
                      int64_t started_micros);

// Whether a model gave any output.
enum class Delivered : uint8_t { Nothing, Something };

// The whole rule. `price` may be null. A provider's own positive figure wins. Where no usage is
// known the cost is 0 if nothing was delivered (acceptance DISC-6), else unknown.
Charge charge_for(const Price* price, const chat::Usage& usage, chat::UsageSource source,
                  Delivered delivered, int64_t started_micros);
// What budgets count and holders of keys are shown: the cost, what the upstream took from the
// caller's own account if the terms say so, and the mark-up. Nothing where a part is unknown.
std::optional<NanoDollars> charged_for(const Charge& charge, bool own_key, Terms terms);
// With the mark-up, rounded half up.
NanoDollars marked_up(NanoDollars cost, Terms terms);

// Prices by provider and model. Immutable once built.
class PriceTable {
 public:
  // Reads the format of prices.json.
  // `edition`: part of the version of its prices, for files that change within a day.
  static Result<PriceTable> parse(std::string_view json, std::string_view edition = {});
  // The catalog inside the binary. Its tests guarantee that it parses.
  static PriceTable built_in();

  // Takes over another catalog's prices; where both have one, the other's. The age is the newer's.
  void merge(PriceTable other);
  // What a provider's own list says of one of its models; replaces. It stands above the catalogs,
  // also where it says that the price varies: nothing.
  void set_listed(std::string_view provider, std::string_view model, std::optional<Price> price);
  // A price of the operator's own for what the configuration calls provider/model; replaces.
  void set(std::string_view provider, std::string_view model, Price price);
  // What a credit costs, for every price in credits that is in the table now. Once.
  void set_credit_price(NanoDollars credit_price);
  void set_terms(std::string_view provider, Terms terms);
  // Of a provider as the configuration calls it; without one, no mark-up.
  Terms terms(std::string_view provider) const;

  struct Found {
    const Price* price = nullptr;
    uint32_t notes = 0;
  };
  // `vendor`: the catalog's name for who serves the provider, when it is not the provider's own
  // name. Dated names ("gpt-5-mini-2025-08-07") and names with a vendor ("openai/gpt-5-mini") are
  // understood. Prices of the operator's own come first, then the provider's list, then the
  // catalogs.
  Found find(std::string_view provider, std::string_view model, std::string_view vendor = {}) const;

  // Since 1970 UTC: the day the catalog was made.
  int64_t as_of_micros() const { return as_of_micros_; }
  size_t size() const { return prices_.size(); }

 private:
  const Price* exact(std::string_view vendor, std::string_view model) const;
  const Price* dated(std::string_view vendor, std::string_view model) const;

  int64_t as_of_micros_ = 0;
  std::unordered_map<std::string, Price> prices_;  // "vendor\nmodel", in normal form
  std::unordered_map<std::string, Price> own_;     // "provider\nmodel", as configured
  std::unordered_map<std::string, std::optional<Price>> listed_;  // the same, as the list has it
  std::unordered_map<std::string, Terms> terms_;                  // by provider
  // Model to vendor, "" if several have it.
  std::unordered_map<std::string, std::string> vendors_;
};

}  // namespace sluice::telemetry
