#include "gateway/worst_case.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/exchange.h"
#include "gateway/routing_facts.h"

namespace sluice::gateway {
namespace {

// The most that any model of the catalog writes.
constexpr int64_t kLongestAnswer = 128'000;

// The tokens of its prompt. Exact counts read the whole conversation.
class PromptTokens {
 public:
  PromptTokens(Exchange& exchange, PromptCount how) : exchange_(exchange) {
    using chat::Endpoint;
    const Endpoint endpoint = exchange.request.endpoint;
    const bool talks = endpoint == Endpoint::Chat || endpoint == Endpoint::Responses ||
                       endpoint == Endpoint::Messages;
    if (how == PromptCount::Bytes)
      counted_by_bytes_ = chat::estimate_tokens(static_cast<int64_t>(exchange.body.size()));
    if (how == PromptCount::Bytes || !talks) return;
    const Result<const chat::Conversation*> read = exchange.conversation();
    if (read) conversation_ = *read;
  }

  int64_t of(const std::string& model) {
    if (counted_by_bytes_) return *counted_by_bytes_;
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
  std::optional<int64_t> counted_by_bytes_;
  const chat::Conversation* conversation_ = nullptr;
  std::optional<tokens::ModelTokenizer> tokenizer_;
  std::optional<int64_t> counted_;
};

const telemetry::Price* price_of(const Exchange& exchange, const routing::Target& target) {
  const Snapshot& snapshot = *exchange.snapshot;
  const telemetry::Price* known = exchange.shared.ledger.price_of(
      *snapshot.meters[target.slot], snapshot.upstreams[target.provider]->name(), target.model);
  return known != nullptr ? known : snapshot.ceiling.get();
}

// Of a request without a limit: what the model can write, unless the target is told a limit.
int64_t longest_answer(const Exchange& exchange, const routing::Target& target,
                       const telemetry::Price& price, int64_t usual) {
  const chat::Request& request = exchange.request;
  if (request.max_output_tokens) return usual;
  const providers::Upstream& upstream = *exchange.snapshot->upstreams[target.provider];
  if (providers::wants_limit(upstream.call_for(request.endpoint, target.model))) return usual;
  return std::max(usual, price.max_output.value_or(kLongestAnswer));
}

}  // namespace

bool writes(const chat::Request& request) {
  return request.endpoint != chat::Endpoint::Embeddings;
}

governance::Ask worst_case(Exchange& exchange, const governance::Demands& demands,
                           PromptCount how) {
  const chat::Request& request = exchange.request;
  const Snapshot& snapshot = *exchange.snapshot;
  PromptTokens prompt(exchange, how);
  governance::Ask ask;
  const auto count = [&](const routing::Target& target) {
    const int64_t input = prompt.of(target.model);
    const int64_t answers = writes(request) ? std::max<int64_t>(request.choices, 1) : 0;
    const int64_t usual =
        request.max_output_tokens.value_or(snapshot.upstreams[target.provider]->max_output());
    ask.tokens = std::max(ask.tokens, input + answers * usual);
    const telemetry::Price* price = demands.cost ? price_of(exchange, target) : nullptr;
    if (price == nullptr) return;
    const int64_t most =
        demands.known_cost ? longest_answer(exchange, target, *price, usual) : usual;
    const NanoDollars cost = telemetry::most_cost(*price, input, answers * most, request.tier,
                                                  exchange.record.started_micros);
    const telemetry::Terms terms = exchange.shared.ledger.terms_of(*snapshot.meters[target.slot]);
    ask.cost = std::max(ask.cost, telemetry::marked_up(cost, terms));
  };
  std::for_each(exchange.route->targets.begin(), exchange.route->targets.end(), count);
  const Snapshot::Rules& rules = rules_of(exchange);
  std::for_each(rules.on_context_overflow.begin(), rules.on_context_overflow.end(), count);
  std::for_each(rules.on_content_policy.begin(), rules.on_content_policy.end(), count);
  return ask;
}

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

}  // namespace sluice::gateway
