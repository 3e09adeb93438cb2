// What an operator may lay down for an organisation, a team, a key or an end user. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.h"
#include "governance/period.h"

namespace sluice::governance {

// From the widest to the narrowest: a request counts against one subject of each.
enum class Level : uint8_t { Organisation, Team, Key, User };
inline constexpr size_t kLevelCount = 4;

// "organisation", "team", "key", "user".
std::string_view name_of(Level level);

// Nothing: no limit. Shadow: count who would have been refused, and let them pass.
struct Limits {
  std::optional<int64_t> requests_per_minute;
  std::optional<int64_t> tokens_per_minute;
  std::optional<int64_t> parallel;
  bool shadow = false;
  friend bool operator==(const Limits&, const Limits&) = default;
};

// What happens as a budget is used up. The later a step stands here, the harder it is.
enum class Step : uint8_t {
  None,
  Warn,           // a header says so
  CheaperTier,    // routed to `BudgetRule::cheaper`
  SmallerOutput,  // at most `BudgetRule::output_limit` tokens of output
  CacheOnly,      // what the cache does not hold is refused
  Block,
};
inline constexpr size_t kStepCount = 6;

// "none", "warn", "cheaper_tier", "smaller_output", "cache_only", "block".
std::string_view name_of(Step step);

// A step is taken when this share of the limit is spent or reserved: 800 is 80 %.
struct LadderStep {
  int32_t at_permille = 0;
  Step step = Step::Warn;
  friend bool operator==(const LadderStep&, const LadderStep&) = default;
};

// More for a while: counts until its end.
struct Increase {
  NanoDollars amount = 0;
  int64_t until_micros = 0;  // wall clock
  friend bool operator==(const Increase&, const Increase&) = default;
};

struct BudgetRule {
  std::string name;  // unique among the budgets of its subject
  NanoDollars amount = 0;
  Period period = Period::Month;
  std::string time_zone = "UTC";
  bool hard = true;  // soft: warns, never refuses
  bool shadow = false;
  std::vector<LadderStep> ladder;  // rising
  std::string cheaper;             // a tier, alias or model, for CheaperTier
  int64_t output_limit = 0;        // for SmallerOutput
  std::optional<Increase> increase;
  friend bool operator==(const BudgetRule&, const BudgetRule&) = default;
};

struct Policy {
  Limits limits;
  std::vector<BudgetRule> budgets;
  friend bool operator==(const Policy&, const Policy&) = default;
};

// What a key may be used for. Empty lists allow everything; names may hold `*`.
struct Rights {
  std::vector<std::string> models;     // "gpt-5*", "openai/gpt-5-mini"
  std::vector<std::string> providers;  // as the configuration calls them
  std::vector<std::string> tiers;      // tiers, aliases and routes by name
  std::vector<std::string> tasks;
  std::vector<std::string> endpoints;  // "chat", "embeddings", as chat::name_of(Endpoint) has them
  std::vector<std::string> addresses;  // "10.0.0.0/8", "2001:db8::1"
  friend bool operator==(const Rights&, const Rights&) = default;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

}  // namespace sluice::governance
