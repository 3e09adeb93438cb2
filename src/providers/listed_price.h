// What a provider's own list says a model costs. Only OpenRouter's says it: decimal strings of US
// dollars per token, in the object `pricing` of each model (openrouter.ai/docs, "List models").
//
// A price that tokens alone do not tell - one that varies ("-1"), one by the request, conditions
// nobody here knows - is none: a cost that is unknown beats one that is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <simdjson.h>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::providers {

// Nano-dollars per million tokens; absent: the list does not state it.
struct ListedRates {
  std::optional<int64_t> input;
  std::optional<int64_t> cached_input;
  std::optional<int64_t> cache_write;  // short lifetime
  std::optional<int64_t> cache_write_1h;
  std::optional<int64_t> output;
  friend bool operator==(const ListedRates&, const ListedRates&) = default;
};

// Rates of the whole request where its prompt has at least so many tokens, or that starts within
// these seconds since midnight UTC. Unstated ones are those of the base.
struct ListedStep {
  int64_t from_prompt_tokens = 0;
  ListedRates rates;
};
struct ListedHours {
  int64_t start = 0;
  int64_t end = 0;  // above `start`; not within
  ListedRates rates;
};

struct ListedPrice {
  ListedRates base;                // input and output are present
  std::vector<ListedStep> steps;   // rising; each has what those before it replaced
  std::vector<ListedHours> hours;  // where there are any, there are no steps
};

// "0.00000025" dollars per token as 250,000,000 nano-dollars per million tokens: exact, and rounded
// half up where there are more than 15 decimals. Also "2.5e-7". Nothing: no decimal number, or more
// than a dollar per token.
std::optional<int64_t> rate_of_dollars(std::string_view text);

// An object `pricing`. Nothing: it does not say what tokens cost. Error: it is no such object.
Result<std::optional<ListedPrice>> read_openrouter_price(simdjson::dom::object pricing);

}  // namespace sluice::providers
