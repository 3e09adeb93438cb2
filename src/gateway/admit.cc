#include "gateway/admit.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/text_out.h"
#include "gateway/exchange.h"
#include "gateway/face.h"
#include "gateway/routing_facts.h"
#include "wire/json_edit.h"

namespace sluice::gateway {
namespace {

using governance::Account;
using governance::BudgetState;
using governance::Level;
using governance::LimitKind;
using governance::Refusal;
using governance::Step;

governance::Moment moment(const Exchange& exchange) {
  return {.monotonic = exchange.now(), .wall_micros = exchange.shared.loop.wall_micros()};
}

governance::Subjects subjects_of(Exchange& exchange) {
  const governance::Directory::Entry& caller = *exchange.caller;
  governance::Subjects subjects;
  subjects[static_cast<size_t>(Level::Organisation)] = caller.organisation_account;
  subjects[static_cast<size_t>(Level::Team)] = caller.team;
  subjects[static_cast<size_t>(Level::Key)] = caller.account;
  if (!exchange.request.user.empty()) {
    subjects[static_cast<size_t>(Level::User)] = exchange.shared.accounts->user(
        caller.organisation, exchange.request.user, exchange.record.started_micros);
  }
  exchange.record.counts_user = subjects[static_cast<size_t>(Level::User)] != nullptr;
  return subjects;
}

std::optional<BudgetState> hardest_step(const governance::Subjects& subjects, int64_t wall_micros) {
  std::optional<BudgetState> hardest;
  for (const auto& account : subjects) {
    if (account == nullptr) continue;
    std::optional<BudgetState> state = account->step(wall_micros);
    if (state && (!hardest || state->step > hardest->step)) hardest = std::move(state);
  }
  return hardest;
}

// A budget that is nearly used up: another target, or a shorter answer.
Result<void> go_cheaper(Exchange& exchange, const std::string& cheaper) {
  exchange.request.model = cheaper;
  exchange.forget_task();
  if (Result<void> found = find_route(exchange); !found) return found;
  exchange.add_reason("a budget is nearly used up: " + cheaper + " in place of what was asked for");
  return {};
}

std::string_view limit_field(const chat::Request& request) {
  switch (request.endpoint) {
    case chat::Endpoint::Responses:
      return "max_output_tokens";
    case chat::Endpoint::Chat:
      if (request.output_limit == chat::OutputLimit::MaxTokens) return "max_tokens";
      return "max_completion_tokens";
    default:
      return "max_tokens";
  }
}

Result<void> shorten(Exchange& exchange, int64_t most) {
  const bool writes = exchange.request.endpoint != chat::Endpoint::Embeddings;
  const bool longer = exchange.request.max_output_tokens.value_or(most + 1) > most;
  if (!writes || !longer || most <= 0) return {};
  const std::string_view field = limit_field(exchange.request);
  const std::string value = std::to_string(most);
  std::string body(exchange.body);
  for (const std::string_view name : {field, std::string_view("max_tokens")})
    body = json::renamed(body, name, "").value_or(std::move(body));
  exchange.replace_body(json::with_member(body, field, value));
  std::string model = std::move(exchange.request.model);
  Result<chat::Request> again = decode_request(exchange.request.endpoint, exchange.body);
  if (!again) return std::move(again).error();
  exchange.request = *std::move(again);
  exchange.request.model = std::move(model);
  exchange.add_reason("a budget is nearly used up: at most " + value + " tokens of output");
  return {};
}

Result<void> take_steps(Exchange& exchange, const BudgetState& state) {
  if (state.step >= Step::CheaperTier && !state.cheaper.empty()) {
    if (Result<void> cheaper = go_cheaper(exchange, state.cheaper); !cheaper) return cheaper;
  }
  if (state.step >= Step::SmallerOutput) return shorten(exchange, state.output_limit);
  return {};
}

// What the request may come to at the most expensive of its targets. Targets without a price are
// left out, if others are there (acceptance PRICE-2).
Result<governance::Ask> most_of(Exchange& exchange, bool has_budget) {
  const chat::Request& request = exchange.request;
  const Snapshot& snapshot = *exchange.snapshot;
  const int64_t input = chat::estimate_tokens(request.prompt_bytes);
  const bool writes = request.endpoint != chat::Endpoint::Embeddings;
  governance::Ask ask;
  std::vector<routing::Target> priced;
  for (const routing::Target& target : exchange.route->targets) {
    const providers::Upstream& upstream = *snapshot.upstreams[target.provider];
    const int64_t each = request.max_output_tokens.value_or(upstream.max_output());
    const int64_t output = writes ? each * std::max<int64_t>(request.choices, 1) : 0;
    ask.tokens = std::max(ask.tokens, input + output);
    if (!has_budget) continue;
    const telemetry::Price* price = exchange.shared.ledger.price_of(*snapshot.meters[target.slot],
                                                                    upstream.name(), target.model);
    if (price == nullptr) price = snapshot.ceiling.get();
    if (price == nullptr) continue;
    ask.cost = std::max(
        ask.cost, telemetry::most_cost(*price, input, output, exchange.record.started_micros));
    priced.push_back(target);
  }
  if (!has_budget || priced.size() == exchange.route->targets.size()) return ask;
  if (priced.empty()) {
    const routing::Target& first = exchange.route->targets.front();
    return Error(Outcome::Forbidden,
                 "nobody knows what '" + snapshot.upstreams[first.provider]->name() + "/" +
                     first.model +
                     "' costs, and the caller has a budget: give it a price (prices.custom) or a "
                     "ceiling (governance.ceiling)",
                 "model");
  }
  auto own = std::make_unique<routing::Route>(*exchange.route);
  own->targets = std::move(priced);
  exchange.own_route(std::move(own));
  exchange.add_reason("targets without a price are left out");
  return ask;
}

std::string time_text(int64_t wall_micros) {
  std::array<char, kTimestampBound> text;
  const char* end = put_timestamp(text.data(), wall_micros);
  return {text.data(), static_cast<size_t>(end - text.data())};
}

std::string owner_text(Level level, const std::string& subject) {
  return std::string(governance::name_of(level)) + " '" + subject + "'";
}

// Which budget, its limit, what is spent and when it begins anew (acceptance BUD-11).
Error budget_error(const Refusal& refusal) {
  std::string message = "the " + std::string(governance::name_of(refusal.period)) + " budget '" +
                        refusal.budget + "' of " + owner_text(refusal.level, refusal.subject) +
                        " is used up: " + dollars_text(refusal.used) + " of " +
                        dollars_text(refusal.limit) + " are spent or held for requests in flight";
  const bool ends = refusal.resets_micros != std::numeric_limits<int64_t>::max();
  message +=
      ends ? "; it begins anew at " + time_text(refusal.resets_micros) : "; it does not begin anew";
  return Error(Outcome::BudgetExceeded, std::move(message));
}

Error limit_error(const Refusal& refusal) {
  const std::string unit = refusal.kind == LimitKind::Parallel ? " requests at a time"
                           : refusal.kind == LimitKind::Tokens ? " tokens a minute"
                                                               : " requests a minute";
  std::string message = "the limit of " + owner_text(refusal.level, refusal.subject) + ", " +
                        std::to_string(refusal.limit) + unit + ", is reached";
  if (!refusal.retry_seconds) message += "; this request alone is larger than that";
  return Error(Outcome::RateLimited, std::move(message));
}

Error refuse(const Refusal& refusal, std::string& headers) {
  std::string limit(governance::name_of(refusal.level));
  limit += '/';
  limit += refusal.kind == LimitKind::Budget ? refusal.budget : governance::name_of(refusal.kind);
  net::append_header(headers, "x-sluice-limit", limit);
  if (refusal.retry_seconds)
    net::append_header(headers, "retry-after", static_cast<uint64_t>(*refusal.retry_seconds));
  // The SDKs try again by themselves; a budget does not come back in seconds.
  if (refusal.kind != LimitKind::Budget) return limit_error(refusal);
  net::append_header(headers, "x-should-retry", "false");
  return budget_error(refusal);
}

// In shadow: who would have been refused.
void note_shadow(Exchange& exchange, const std::vector<Refusal>& would_refuse) {
  for (const Refusal& refusal : would_refuse) {
    std::string headers;
    const Error error = refuse(refusal, headers);
    exchange.add_reason("in shadow: " + error.message());
    exchange.shared.ledger.count_refusal(governance::name_of(refusal.level),
                                         governance::name_of(refusal.kind), true);
  }
}

void append_allowance(std::string& headers, std::string_view unit,
                      const governance::Allowance& allowance) {
  if (!allowance.limit) return;
  const auto append = [&](std::string_view what, std::string_view value) {
    std::string name = "x-ratelimit-";
    name += what;
    name += '-';
    name += unit;
    net::append_header(headers, name, value);
  };
  append("limit", std::to_string(*allowance.limit));
  append("remaining", std::to_string(allowance.remaining));
  append("reset", std::to_string(allowance.reset_seconds) + "s");
}

// The one with the least left.
governance::Allowance tightest(const Exchange& exchange, bool tokens) {
  const governance::Directory::Entry& caller = *exchange.caller;
  const governance::Moment now = moment(exchange);
  governance::Allowance least;
  for (const Account* account :
       {caller.account.get(), caller.team.get(), caller.organisation_account.get()}) {
    if (account == nullptr) continue;
    const governance::Allowance each = tokens ? account->tokens(now) : account->requests(now);
    if (each.limit && (!least.limit || each.remaining < least.remaining)) least = each;
  }
  return least;
}

// Nothing is held where it fails, or where the others are to be asked first.
Result<void> take_room(Exchange& exchange, const governance::Subjects& subjects,
                       const governance::Ask& ask, std::string& headers) {
  std::vector<Refusal> would_refuse;
  const std::optional<Refusal> refused =
      exchange.admission.take(subjects, ask, moment(exchange), &would_refuse);
  if (refused && refused->ask_others) return {};
  note_shadow(exchange, would_refuse);
  if (refused) {
    exchange.shared.ledger.count_refusal(governance::name_of(refused->level),
                                         governance::name_of(refused->kind), false);
    return refuse(*refused, headers);
  }
  exchange.record.reserved = ask.cost;
  return {};
}

}  // namespace

Result<void> admit(Exchange& exchange, std::string& headers) {
  if (exchange.caller == nullptr) return {};
  const governance::Subjects subjects = subjects_of(exchange);
  const governance::Moment now = moment(exchange);
  std::optional<BudgetState> state = hardest_step(subjects, now.wall_micros);
  if (state && exchange.record.generates) {
    if (Result<void> taken = take_steps(exchange, *state); !taken) return taken;
  }
  if (state) exchange.budget = std::make_unique<BudgetState>(*std::move(state));
  const bool has_budget = std::any_of(subjects.begin(), subjects.end(), [](const auto& account) {
    return account != nullptr && account->has_budget();
  });
  governance::Ask ask;
  if (exchange.record.generates) {
    Result<governance::Ask> most = most_of(exchange, has_budget);
    if (!most) return std::move(most).error();
    ask = *most;
  }
  exchange.record.ceiling = exchange.snapshot->ceiling.get();
  return take_room(exchange, subjects, ask, headers);
}

// Each round makes room for what waits here; others on the same account may be quicker to take it.
Task<Result<void>> ask_others(Exchange& exchange, std::string& headers) {
  constexpr int kMostRounds = 16;
  const governance::Ask ask = exchange.admission.ask();
  const governance::Subjects subjects = subjects_of(exchange);
  for (int round = 0; exchange.admission.lacks() != nullptr && round < kMostRounds; ++round) {
    std::shared_ptr<Account> account = exchange.admission.lacks();
    co_await exchange.shared.limits->ask_others(exchange.shared.loop, std::move(account), ask,
                                                &exchange.http.cancel());
    Result<void> taken = take_room(exchange, subjects, ask, headers);
    if (!taken) co_return taken;
  }
  if (exchange.admission.lacks() != nullptr) {
    co_return Error(Outcome::RateLimited, "too many requests ask for the rest of one limit");
  }
  co_return Result<void>();
}

void settle(Exchange& exchange, const telemetry::Charge& charge) {
  if (!exchange.admission.holds()) return;
  const telemetry::Record& record = exchange.record;
  const governance::Used used{
      .cost = charge.charged,
      .tokens = record.usage.input() + record.usage.output(),
      .ended_micros = record.started_micros + record.duration_micros,
  };
  std::vector<governance::Crossing> crossings;
  exchange.admission.settle(used, moment(exchange), &crossings);
  for (const governance::Crossing& crossing : crossings) {
    exchange.shared.ledger.note_budget(
        owner_text(crossing.state.level, crossing.state.subject) + ", " + crossing.state.name,
        crossing.permille, dollars_text(crossing.state.spent), dollars_text(crossing.state.limit));
  }
}

void append_limits(const Exchange& exchange, std::string& headers) {
  if (exchange.caller == nullptr) return;
  append_allowance(headers, "requests", tightest(exchange, false));
  append_allowance(headers, "tokens", tightest(exchange, true));
  if (exchange.budget == nullptr) return;
  const BudgetState& state = *exchange.budget;
  std::string text(governance::name_of(state.level));
  text += '/' + state.name + ' ';
  append_decimal(text, state.used_permille(), 1);
  text += "% of " + dollars_text(state.limit);
  if (net::is_header_value(text)) net::append_header(headers, "x-sluice-budget", text);
  net::append_header(headers, "x-sluice-budget-step", governance::name_of(state.step));
}

providers::PassLimits pass_limits(const Exchange& exchange) {
  const bool own = exchange.caller != nullptr &&
                   (tightest(exchange, false).limit || tightest(exchange, true).limit);
  return own ? providers::PassLimits::No : providers::PassLimits::Yes;
}

}  // namespace sluice::gateway
