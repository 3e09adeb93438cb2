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

// The tokens of its prompt. Exact counts read the whole conversation, so they are made for whoever
// has a use for them.
class PromptTokens {
 public:
  PromptTokens(Exchange& exchange, bool wanted) : exchange_(exchange) {
    using chat::Endpoint;
    const Endpoint endpoint = exchange.request.endpoint;
    const bool talks = endpoint == Endpoint::Chat || endpoint == Endpoint::Responses ||
                       endpoint == Endpoint::Messages;
    if (!wanted || !talks) return;
    const Result<const chat::Conversation*> read = exchange.conversation();
    if (read) conversation_ = *read;
  }

  int64_t of(const std::string& model) {
    if (conversation_ == nullptr) return chat::estimate_tokens(exchange_.request.prompt_bytes);
    // The targets of a request mostly share a tokenizer.
    const std::optional<tokens::ModelTokenizer> tokenizer = tokens::tokenizer_of(model);
    if (!counted_ || tokenizer != tokenizer_) {
      counted_ = exchange_.shared.tokens.prompt(model, *conversation_).tokens;
      tokenizer_ = tokenizer;
    }
    return *counted_;
  }

 private:
  Exchange& exchange_;
  const chat::Conversation* conversation_ = nullptr;
  std::optional<tokens::ModelTokenizer> tokenizer_;
  std::optional<int64_t> counted_;
};

bool writes(const chat::Request& request) {
  return request.endpoint != chat::Endpoint::Embeddings;
}

const telemetry::Price* price_of(const Exchange& exchange, const routing::Target& target) {
  const Snapshot& snapshot = *exchange.snapshot;
  const telemetry::Price* known = exchange.shared.ledger.price_of(
      *snapshot.meters[target.slot], snapshot.upstreams[target.provider]->name(), target.model);
  return known != nullptr ? known : snapshot.ceiling.get();
}

// What the request may come to at the most expensive of its targets, those included that take it
// if its prompt does not fit. Targets without a price count nothing.
governance::Ask most_of(Exchange& exchange, const governance::Demands& demands) {
  const chat::Request& request = exchange.request;
  const Snapshot& snapshot = *exchange.snapshot;
  PromptTokens prompt(exchange, demands.tokens || demands.cost);
  governance::Ask ask;
  const auto count = [&](const routing::Target& target) {
    const int64_t input = prompt.of(target.model);
    const int64_t each =
        request.max_output_tokens.value_or(snapshot.upstreams[target.provider]->max_output());
    const int64_t output = writes(request) ? each * std::max<int64_t>(request.choices, 1) : 0;
    ask.tokens = std::max(ask.tokens, input + output);
    const telemetry::Price* price = demands.cost ? price_of(exchange, target) : nullptr;
    if (price == nullptr) return;
    const NanoDollars cost =
        telemetry::most_cost(*price, input, output, request.tier, exchange.record.started_micros);
    const telemetry::Terms terms = exchange.shared.ledger.terms_of(*snapshot.meters[target.slot]);
    ask.cost = std::max(ask.cost, telemetry::marked_up(cost, terms));
  };
  std::for_each(exchange.route->targets.begin(), exchange.route->targets.end(), count);
  const Snapshot::Rules& rules = rules_of(exchange);
  std::for_each(rules.on_context_overflow.begin(), rules.on_context_overflow.end(), count);
  std::for_each(rules.on_content_policy.begin(), rules.on_content_policy.end(), count);
  return ask;
}

// Targets without a price are left out, if others are there (acceptance PRICE-2).
Result<void> keep_priced(Exchange& exchange) {
  const auto unpriced = [&](const routing::Target& target) {
    return price_of(exchange, target) == nullptr;
  };
  auto rules = std::make_unique<Snapshot::Rules>(rules_of(exchange));
  const size_t left_out = std::erase_if(rules->on_context_overflow, unpriced) +
                          std::erase_if(rules->on_content_policy, unpriced);
  if (left_out > 0) exchange.own_rules = std::move(rules);
  const std::vector<routing::Target>& targets = exchange.route->targets;
  if (std::none_of(targets.begin(), targets.end(), unpriced)) return {};
  auto own = std::make_unique<routing::Route>(*exchange.route);
  std::erase_if(own->targets, unpriced);
  if (own->targets.empty()) {
    const routing::Target& first = targets.front();
    return Error(Outcome::Forbidden,
                 "nobody knows what '" + exchange.snapshot->upstreams[first.provider]->name() +
                     "/" + first.model +
                     "' costs, and the caller has a budget: give it a price (prices.custom) or a "
                     "ceiling (governance.ceiling_input)",
                 "model");
  }
  exchange.own_route(std::move(own));
  exchange.add_reason("targets without a price are left out");
  return {};
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
  const NanoDollars before = most_of(exchange, demands).cost;
  const bool gone = go_to(exchange, cheaper, {}).has_value();
  const NanoDollars after = gone ? most_of(exchange, demands).cost : 0;
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

// A budget that is nearly used up: a shorter answer.
Result<void> shorten(Exchange& exchange, int64_t most) {
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
    ask = most_of(exchange, demands);
  }
  exchange.record.ceiling = exchange.snapshot->ceiling.get();
  return take_room(exchange, subjects, ask, headers);
}

// Each round makes room for what waits here; others on the same account may be quicker to take it.
Task<Result<void>> ask_others(Exchange& exchange, std::string& headers) {
  constexpr int kMostRounds = 16;
  const governance::Ask ask = exchange.admission.ask();
  const governance::Subjects& subjects = exchange.subjects;
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
