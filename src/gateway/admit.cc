#include "gateway/admit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/text_out.h"
#include "gateway/caller.h"
#include "gateway/exchange.h"
#include "gateway/face.h"
#include "gateway/routing_facts.h"
#include "gateway/worst_case.h"
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

void find_subjects(Exchange& exchange) {
  const governance::Directory::Entry& caller = *exchange.caller;
  governance::Subjects& subjects = exchange.subjects;
  subjects[static_cast<size_t>(Level::Organisation)] = caller.organisation_account;
  subjects[static_cast<size_t>(Level::Team)] = caller.team;
  subjects[static_cast<size_t>(Level::Key)] = caller.account;
  // By the name as the ledger has it.
  telemetry::Record& record = exchange.record;
  if (!record.user.empty()) {
    subjects[static_cast<size_t>(Level::User)] =
        exchange.shared.accounts->user(caller.organisation, record.user, record.started_micros);
  }
  record.counts_user = subjects[static_cast<size_t>(Level::User)] != nullptr;
}

governance::Demands demands_of(const governance::Subjects& subjects) {
  governance::Demands all;
  for (const auto& account : subjects) {
    if (account == nullptr) continue;
    const governance::Demands each = account->demands();
    all.tokens |= each.tokens;
    all.cost |= each.cost;
    all.known_cost |= each.known_cost;
  }
  return all;
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

// The targets of another name. As far as the key may use them: the name itself is the operator's
// choice.
Result<void> go_to(Exchange& exchange, std::string name, std::string_view task) {
  exchange.request.model = std::move(name);
  exchange.set_task(task);
  Result<void> found = find_route(exchange);
  return found ? keep_allowed(exchange) : std::move(found);
}

// A budget that is nearly used up: other targets, if they are cheaper and can take the request.
Result<void> go_cheaper(Exchange& exchange, const std::string& cheaper) {
  const std::string asked = exchange.request.model;
  if (!writes(exchange.request) || asked == cheaper || exchange.stored != nullptr) return {};
  const std::string_view task = exchange.wishes().task;
  const governance::Demands demands{.tokens = false, .cost = true};
  const NanoDollars before = worst_case(exchange, demands).cost;
  const bool gone = go_to(exchange, cheaper, {}).has_value();
  const NanoDollars after = gone ? worst_case(exchange, demands).cost : 0;
  if (gone && (before == 0 || after < before)) {
    exchange.add_reason("a budget is nearly used up: " + cheaper +
                        " in place of what was asked for");
    return {};
  }
  return go_to(exchange, asked, task);
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

// Thinking has its own share of the limit, and a limit below that is refused by its provider.
bool leaves_room_to_think(std::string_view body, int64_t most) {
  const std::string_view thinking = json::member_of(body, "thinking");
  const std::string_view share = json::member_of(thinking, "budget_tokens");
  int64_t tokens = 0;
  std::from_chars(share.data(), share.data() + share.size(), tokens);
  return tokens < most;
}

// An answer of at most so many tokens, where that is shorter than what was asked for.
Result<void> shorten(Exchange& exchange, int64_t most, std::string_view because) {
  const bool longer = exchange.request.max_output_tokens.value_or(most + 1) > most;
  if (!writes(exchange.request) || !longer || most <= 0) return {};
  if (!leaves_room_to_think(exchange.body, most)) return {};
  const std::string_view field = limit_field(exchange.request);
  const std::string value = std::to_string(most);
  std::string body(exchange.body);
  for (const std::string_view name : {field, std::string_view("max_tokens")}) {
    while (std::optional<std::string> without = json::renamed(body, name, ""))
      body = *std::move(without);
  }
  exchange.replace_body(json::with_member(body, field, value));
  std::string model = std::move(exchange.request.model);
  Result<chat::Request> again = decode_request(exchange.request.endpoint, exchange.body);
  if (!again) return std::move(again).error();
  exchange.request = *std::move(again);
  exchange.request.model = std::move(model);
  exchange.add_reason(std::string(because) + ": at most " + value + " tokens of output");
  return {};
}

Result<void> take_steps(Exchange& exchange, const BudgetState& state) {
  if (state.step >= Step::CheaperTier && !state.cheaper.empty()) {
    if (Result<void> cheaper = go_cheaper(exchange, state.cheaper); !cheaper) return cheaper;
  }
  if (state.step >= Step::SmallerOutput)
    return shorten(exchange, state.output_limit, "a budget is nearly used up");
  return {};
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
  // The SDKs try again by themselves; a budget does not come back in seconds, and what is larger
  // than its limit does not become smaller.
  if (refusal.retry_seconds)
    net::append_header(headers, "retry-after", static_cast<uint64_t>(*refusal.retry_seconds));
  else
    net::append_header(headers, "x-should-retry", "false");
  return refusal.kind == LimitKind::Budget ? budget_error(refusal) : limit_error(refusal);
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

// For a request without a limit, where there is no room for all that the model can write: the limit
// that is usual. False: it has one, or none can be set.
Result<bool> limit_answer(Exchange& exchange) {
  if (exchange.request.max_output_tokens || !writes(exchange.request)) return false;
  const auto& upstreams = exchange.snapshot->upstreams;
  int64_t most = std::numeric_limits<int64_t>::max();
  for (const routing::Target& target : exchange.route->targets)
    most = std::min(most, upstreams[target.provider]->max_output());
  Result<void> set = shorten(exchange, most, "a budget has no room for an answer without a limit");
  if (!set) return std::move(set).error();
  return exchange.request.max_output_tokens.has_value();
}

// Counted by tokens where that may decide; where it cannot, or nobody asks, there is no use in the
// work.
governance::Ask may_come_to(Exchange& exchange, const governance::Demands& demands,
                            governance::Moment now) {
  if (!exchange.request.only_text) return worst_case(exchange, demands);
  const governance::Ask rough = worst_case(exchange, demands, PromptCount::Bytes);
  const governance::Subjects& subjects = exchange.subjects;
  const bool ample = std::all_of(subjects.begin(), subjects.end(), [&](const auto& account) {
    return account == nullptr || account->is_ample(rough, kBytesMayBe, now);
  });
  return ample ? rough : worst_case(exchange, demands);
}

// Nothing is held where it fails, or where the others are to be asked first.
Result<void> take_room(Exchange& exchange, const governance::Ask& ask, std::string& headers) {
  const governance::Subjects& subjects = exchange.subjects;
  std::vector<Refusal> would_refuse;
  const std::optional<Refusal> refused =
      exchange.admission.take(subjects, ask, moment(exchange), &would_refuse);
  if (refused && refused->ask_others) return {};
  if (refused && refused->kind == LimitKind::Budget) {
    const Result<bool> limited = limit_answer(exchange);
    if (!limited) return Error(limited.error().outcome(), limited.error().message());
    if (*limited) return take_room(exchange, worst_case(exchange, demands_of(subjects)), headers);
  }
  note_shadow(exchange, would_refuse);
  if (refused) {
    exchange.shared.ledger.count_refusal(governance::name_of(refused->level),
                                         governance::name_of(refused->kind), false);
    return refuse(*refused, headers);
  }
  exchange.record.reserved = ask.cost;
  return {};
}

// What the attempt that failed just now is charged with. One that is to be gone on with has given
// the client something: all that was held may be spent.
NanoDollars last_attempt_cost(const Exchange& exchange) {
  const telemetry::Record& record = exchange.record;
  if (record.delivered) return record.reserved;
  if (record.attempts.empty() || !record.attempts.back().spent) return 0;
  const NanoDollars cost = record.attempts.back().spent->cost.value_or(0);
  const telemetry::TargetMeters* meters = record.meters;
  return meters == nullptr ? cost
                           : telemetry::marked_up(cost, exchange.shared.ledger.terms_of(*meters));
}

}  // namespace

Result<void> admit(Exchange& exchange, std::string& headers) {
  if (exchange.caller == nullptr) return {};
  find_subjects(exchange);
  const governance::Subjects& subjects = exchange.subjects;
  const governance::Moment now = moment(exchange);
  std::optional<BudgetState> state = hardest_step(subjects, now.wall_micros);
  if (state && exchange.record.generates) {
    if (Result<void> taken = take_steps(exchange, *state); !taken) return taken;
  }
  if (state) exchange.budget = std::make_unique<BudgetState>(*std::move(state));
  governance::Ask ask;
  if (exchange.record.generates) {
    const governance::Demands demands = demands_of(subjects);
    Result<void> priced = demands.known_cost ? keep_priced(exchange) : Result<void>();
    if (!priced) return priced;
    ask = may_come_to(exchange, demands, now);
  }
  exchange.record.ceiling = exchange.snapshot->ceiling.get();
  return take_room(exchange, ask, headers);
}

// Each round makes room for what waits here; others on the same account may be quicker to take it.
Task<Result<void>> ask_others(Exchange& exchange, std::string& headers) {
  constexpr int kMostRounds = 16;
  for (int round = 0; exchange.admission.lacks() != nullptr && round < kMostRounds; ++round) {
    std::shared_ptr<Account> account = exchange.admission.lacks();
    const governance::Ask ask = exchange.admission.ask();
    co_await exchange.shared.limits->ask_others(exchange.shared.loop, std::move(account), ask,
                                                &exchange.http.cancel());
    Result<void> taken = take_room(exchange, ask, headers);
    if (!taken) co_return taken;
  }
  if (exchange.admission.lacks() != nullptr) {
    co_return Error(Outcome::RateLimited, "too many requests ask for the rest of one limit");
  }
  co_return Result<void>();
}

Task<bool> hold_for_another(Exchange& exchange) {
  const NanoDollars paid = last_attempt_cost(exchange);
  if (paid == 0 || !exchange.admission.holds()) co_return true;
  constexpr int kMostRounds = 4;
  for (int round = 0; round < kMostRounds; ++round) {
    if (!exchange.admission.hold_more(paid, moment(exchange))) co_return true;
    std::shared_ptr<Account> account = exchange.admission.lacks();
    if (account == nullptr) break;
    const governance::Ask ask{.cost = paid};
    co_await exchange.shared.limits->ask_others(exchange.shared.loop, std::move(account), ask,
                                                &exchange.http.cancel());
  }
  exchange.add_reason("a budget has no room for another attempt");
  co_return false;
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
    if (exchange.shared.limits != nullptr) {
      exchange.shared.limits->report(crossing);
    } else {
      note_crossing(exchange.shared.ledger, crossing);
    }
  }
}

void note_crossing(const telemetry::Ledger& ledger, const governance::Crossing& crossing) {
  const governance::BudgetState& state = crossing.state;
  ledger.note_budget(owner_text(state.level, state.subject) + ", " + state.name, crossing.permille,
                     dollars_text(state.spent), dollars_text(state.limit));
}

}  // namespace sluice::gateway
