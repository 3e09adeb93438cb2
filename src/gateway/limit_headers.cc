#include "gateway/limit_headers.h"

#include <algorithm>
#include <array>

#include "base/money.h"
#include "base/text_out.h"
#include "gateway/exchange.h"

namespace sluice::gateway {
namespace {

using governance::Allowance;
using governance::Allowances;
using governance::BudgetState;

// The names of one allowance's header fields.
struct Names {
  std::string_view limit, remaining, reset;
};
struct UnitNames {
  Names openai, anthropic;
};
constexpr UnitNames kRequests{
    .openai = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
               "x-ratelimit-reset-requests"},
    .anthropic = {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
                  "anthropic-ratelimit-requests-reset"}};
constexpr UnitNames kTokens{
    .openai = {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
               "x-ratelimit-reset-tokens"},
    .anthropic = {"anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
                  "anthropic-ratelimit-tokens-reset"}};

void append_amounts(std::string& headers, const Names& names, const Allowance& allowance) {
  net::append_header(headers, names.limit, static_cast<uint64_t>(*allowance.limit));
  net::append_header(headers, names.remaining, static_cast<uint64_t>(allowance.remaining));
}

// What OpenAI's clients read: durations.
void append_openai(std::string& headers, const Names& names, const Allowance& allowance) {
  append_amounts(headers, names, allowance);
  std::array<char, kIntBound + 1> text;
  char* end = put_int(text.data(), allowance.reset_seconds);
  *end++ = 's';
  net::append_header(headers, names.reset,
                     std::string_view(text.data(), static_cast<size_t>(end - text.data())));
}

// What Anthropic's clients read: moments.
void append_anthropic(std::string& headers, const Names& names, const Allowance& allowance,
                      int64_t wall_micros) {
  append_amounts(headers, names, allowance);
  std::array<char, kTimestampBound> text;
  const char* end = put_timestamp(text.data(), wall_micros + allowance.reset_seconds * 1'000'000);
  net::append_header(headers, names.reset,
                     std::string_view(text.data(), static_cast<size_t>(end - text.data())));
}

// Of each the one with the least left.
Allowances tightest(const Exchange& exchange) {
  const governance::Moment now{.monotonic = exchange.now(),
                               .wall_micros = exchange.shared.loop.wall_micros()};
  Allowances least;
  const auto narrow = [](Allowance& to, const Allowance& each) {
    if (each.limit && (!to.limit || each.remaining < to.remaining)) to = each;
  };
  for (const auto& account : exchange.subjects) {
    if (account == nullptr) continue;
    const Allowances each = account->allowances(now);
    narrow(least.requests, each.requests);
    narrow(least.tokens, each.tokens);
  }
  return least;
}

bool tells_limits(const Exchange& exchange) {
  return std::any_of(exchange.subjects.begin(), exchange.subjects.end(), [](const auto& account) {
    return account != nullptr && account->demands().told;
  });
}

void append_allowance(const Exchange& exchange, std::string& headers, const UnitNames& names,
                      const Allowance& allowance) {
  if (!allowance.limit) return;
  append_openai(headers, names.openai, allowance);
  const chat::Endpoint endpoint = exchange.request.endpoint;
  if (endpoint == chat::Endpoint::Messages || endpoint == chat::Endpoint::CountTokens)
    append_anthropic(headers, names.anthropic, allowance, exchange.shared.loop.wall_micros());
}

}  // namespace

void append_limits(const Exchange& exchange, std::string& headers) {
  if (tells_limits(exchange)) {
    const Allowances least = tightest(exchange);
    append_allowance(exchange, headers, kRequests, least.requests);
    append_allowance(exchange, headers, kTokens, least.tokens);
  }
  if (exchange.budget == nullptr) return;
  const BudgetState& state = *exchange.budget;
  std::string text(governance::name_of(state.level));
  text += '/' + state.name + ' ';
  append_decimal(text, state.used_permille(), 1);
  text += "% of " + dollars_text(state.limit);
  net::append_header(headers, "x-sluice-budget", text);
  net::append_header(headers, "x-sluice-budget-step", governance::name_of(state.step));
}

providers::PassLimits pass_limits(const Exchange& exchange) {
  return tells_limits(exchange) ? providers::PassLimits::No : providers::PassLimits::Yes;
}

}  // namespace sluice::gateway
