#include "gateway/limit_headers.h"

#include <array>

#include "base/money.h"
#include "base/text_out.h"
#include "gateway/exchange.h"

namespace sluice::gateway {
namespace {

using governance::Account;
using governance::Allowance;
using governance::BudgetState;

// What OpenAI's clients read: durations.
void append_openai(std::string& headers, const std::string& unit, const Allowance& allowance) {
  const std::string name = "x-ratelimit-";
  net::append_header(headers, name + "limit-" + unit, std::to_string(*allowance.limit));
  net::append_header(headers, name + "remaining-" + unit, std::to_string(allowance.remaining));
  net::append_header(headers, name + "reset-" + unit,
                     std::to_string(allowance.reset_seconds) + "s");
}

// What Anthropic's clients read: moments.
void append_anthropic(std::string& headers, const std::string& unit, const Allowance& allowance,
                      int64_t wall_micros) {
  const std::string name = "anthropic-ratelimit-" + unit;
  std::array<char, kTimestampBound> text;
  const char* end = put_timestamp(text.data(), wall_micros + allowance.reset_seconds * 1'000'000);
  const std::string_view reset(text.data(), static_cast<size_t>(end - text.data()));
  net::append_header(headers, name + "-limit", std::to_string(*allowance.limit));
  net::append_header(headers, name + "-remaining", std::to_string(allowance.remaining));
  net::append_header(headers, name + "-reset", reset);
}

// The one with the least left.
Allowance tightest(const Exchange& exchange, Allowance (Account::*of)(governance::Moment) const) {
  const governance::Moment now{.monotonic = exchange.now(),
                               .wall_micros = exchange.shared.loop.wall_micros()};
  Allowance least;
  for (const auto& account : exchange.subjects) {
    if (account == nullptr) continue;
    const Allowance each = (account.get()->*of)(now);
    if (each.limit && (!least.limit || each.remaining < least.remaining)) least = each;
  }
  return least;
}

void append_allowance(const Exchange& exchange, std::string& headers, const std::string& unit,
                      const Allowance& allowance) {
  if (!allowance.limit) return;
  append_openai(headers, unit, allowance);
  const chat::Endpoint endpoint = exchange.request.endpoint;
  if (endpoint == chat::Endpoint::Messages || endpoint == chat::Endpoint::CountTokens)
    append_anthropic(headers, unit, allowance, exchange.shared.loop.wall_micros());
}

}  // namespace

void append_limits(const Exchange& exchange, std::string& headers) {
  append_allowance(exchange, headers, "requests", tightest(exchange, &Account::requests));
  append_allowance(exchange, headers, "tokens", tightest(exchange, &Account::tokens));
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
  const bool own =
      tightest(exchange, &Account::requests).limit || tightest(exchange, &Account::tokens).limit;
  return own ? providers::PassLimits::No : providers::PassLimits::Yes;
}

}  // namespace sluice::gateway
