#include "gateway/routing_facts.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/caller.h"
#include "routing/body_field.h"
#include "wire/json_edit.h"

namespace sluice::gateway {
namespace {

using routing::Value;

void append_text(const chat::Message& message, std::string& out) {
  for (const chat::Part& part : message.parts) {
    if (part.kind != chat::Part::Kind::Text) continue;
    if (!out.empty()) out += '\n';
    out += part.text;
  }
}

// The lookups of one request, and the texts they lend. Lives as long as the decision takes.
class RequestFacts {
 public:
  explicit RequestFacts(Exchange& exchange) : exchange_(exchange) {}

  routing::Facts facts() {
    const Wishes& wishes = exchange_.wishes();
    routing::Facts facts;
    facts.model = exchange_.request.model;
    facts.task = wishes.task;
    facts.path = exchange_.http.head().path();
    facts.user = exchange_.request.user;
    if (exchange_.caller != nullptr) facts.key = exchange_.caller->key.name;
    facts.conversation = header_text("x-sluice-conversation");
    facts.metadata = metadata_;
    facts.header = header_;
    facts.field = field_;
    facts.prompt = prompt_;
    facts.prompt_tokens =
        static_cast<uint64_t>(chat::estimate_tokens(exchange_.request.prompt_bytes));
    facts.wall_micros = exchange_.record.started_micros;
    facts.random = exchange_.shared.ids.random();
    facts.restricted = wishes.restricted;
    return facts;
  }

 private:
  std::string_view header_text(std::string_view name) const {
    return exchange_.http.head().headers.find(name).value_or("");
  }
  routing::Prompt read_prompt();

  Exchange& exchange_;
  std::string text_;
  std::string system_;
  std::string last_user_;

  struct Metadata {
    RequestFacts& facts;
    Value operator()(std::string_view name) const {
      const std::string_view metadata = json::member_of(facts.exchange_.body, "metadata");
      return routing::body_field(metadata, name, facts.text_);
    }
  } metadata_{*this};
  struct Header {
    RequestFacts& facts;
    Value operator()(std::string_view name) const {
      const auto value = facts.exchange_.http.head().headers.find(name);
      return value ? Value::of(*value) : Value{};
    }
  } header_{*this};
  struct Field {
    RequestFacts& facts;
    Value operator()(std::string_view name) const {
      return routing::body_field(facts.exchange_.body, name, facts.text_);
    }
  } field_{*this};
  struct Prompt {
    RequestFacts& facts;
    routing::Prompt operator()() const { return facts.read_prompt(); }
  } prompt_{*this};
};

// A request that cannot be read in whole is classified by nothing, and so goes to the default.
routing::Prompt RequestFacts::read_prompt() {
  routing::Prompt prompt;
  const Result<const chat::Conversation*> read = exchange_.conversation();
  if (!read) return prompt;
  const chat::Conversation& conversation = **read;
  for (const chat::Message& message : conversation.messages) {
    if (message.role == chat::Role::System) append_text(message, system_);
    if (message.role != chat::Role::User) continue;
    std::string text;
    append_text(message, text);
    if (!text.empty()) last_user_ = std::move(text);
  }
  prompt.system = system_;
  prompt.last_user = last_user_;
  prompt.tools = !conversation.tools.empty();
  prompt.json_schema = conversation.format.kind == chat::Format::Kind::JsonSchema;
  return prompt;
}

constexpr std::string_view kTask = "task/";

void note_route(Exchange& exchange) {
  const routing::Route& route = *exchange.route;
  exchange.record.alias = route.alias;
  exchange.record.reason = route.reason;
  if (route.alias.starts_with(kTask)) exchange.record.task = route.alias.substr(kTask.size());
}

// The target that made what this request refers to, and nobody else (AG-5).
Result<void> follow_references(Exchange& exchange) {
  const chat::References* references = exchange.request.references.get();
  if (references == nullptr || exchange.snapshot->pins == nullptr) return {};
  std::vector<std::string> ids = references->items;
  ids.insert(ids.end(), references->reasoning.begin(), references->reasoning.end());
  if (!references->previous_response.empty()) ids.push_back(references->previous_response);
  const std::string owner = owner_of(exchange);
  std::optional<Maker> maker;
  for (const std::string& id : ids) {
    std::optional<Maker> known = exchange.snapshot->pins->find(id);
    if (known && known->kept && known->owner == owner) maker = std::move(known);
  }
  const std::vector<routing::Target>& targets = exchange.route->targets;
  const auto made_it = [&](const routing::Target& target) {
    return maker && maker->target ==
                        exchange.snapshot->upstreams[target.provider]->name() + "/" + target.model;
  };
  const auto found = std::find_if(targets.begin(), targets.end(), made_it);
  const bool must = !references->previous_response.empty() || !references->items.empty() ||
                    !references->conversation.empty() || !references->prompt.empty();
  if (found != targets.end()) {
    exchange.prefer_key(*exchange.snapshot->upstreams[found->provider], maker->key);
  }
  // Of a single target there is no doubt.
  if (targets.size() == 1 && (!maker || found != targets.end())) return {};
  if (found == targets.end()) {
    if (!must) return {};
    return Error(Outcome::BadRequest,
                 "this request refers to an answer that none of its targets is known to have made; "
                 "send the whole conversation, or name the target itself as `model`",
                 references->previous_response.empty() ? "input" : "previous_response_id");
  }
  auto own = std::make_unique<routing::Route>(*exchange.route);
  own->targets = {*found};
  exchange.own_route(std::move(own));
  exchange.add_reason("it made what the request refers to");
  return {};
}

}  // namespace

const Snapshot::Rules& rules_of(const Exchange& exchange) {
  if (exchange.own_rules != nullptr) return *exchange.own_rules;
  const Snapshot& snapshot = *exchange.snapshot;
  const std::vector<routing::Target>& targets = exchange.route->targets;
  const bool stays = std::all_of(targets.begin(), targets.end(), [&](const auto& target) {
    return snapshot.upstreams[target.provider]->local();
  });
  return stays ? snapshot.local_rules : snapshot.rules;
}

Result<void> find_route(Exchange& exchange) {
  const routing::Router& router = exchange.snapshot->router;
  const Wishes& wishes = exchange.wishes();
  RecentRoute& recent = exchange.shared.recent;
  const bool plain = wishes.task.empty() && !wishes.restricted;
  if (plain) exchange.route = router.find(exchange.request.model);
  const bool again =
      recent.revision == exchange.snapshot->revision && recent.model == exchange.request.model;
  if (plain && exchange.route == nullptr && again) exchange.own_route(recent.route);
  if (exchange.route != nullptr) {
    exchange.record.common_reason = true;
    note_route(exchange);
    return follow_references(exchange);
  }
  RequestFacts facts(exchange);
  Result<routing::Decision> decision = router.decide(facts.facts());
  if (!decision) return std::move(decision).error();
  exchange.route = &decision->route();
  const std::shared_ptr<const routing::Route> own = decision->take();
  if (own) exchange.own_route(own);
  note_route(exchange);
  // A plain model name is decided alike each time it comes.
  exchange.record.common_reason = exchange.route->alias.empty();
  if (plain && own && own->alias.empty()) {
    recent = {
        .revision = exchange.snapshot->revision, .model = exchange.request.model, .route = own};
  }
  return follow_references(exchange);
}

}  // namespace sluice::gateway
