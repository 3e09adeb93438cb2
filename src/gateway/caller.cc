#include "gateway/caller.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/exchange.h"
#include "gateway/routing_facts.h"
#include "governance/virtual_key.h"

namespace sluice::gateway {
namespace {

using governance::Directory;
using governance::KeyFault;

// "127.0.0.1:40312" without its port; "[::1]:40312" without brackets too.
std::string_view address_of(std::string_view peer) {
  peer = peer.substr(0, peer.rfind(':'));
  if (peer.starts_with('[') && peer.ends_with(']')) peer = peer.substr(1, peer.size() - 2);
  return peer;
}

bool is_this_machine(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

// What somebody shows at the door.
struct Knock {
  std::string_view address;
  std::string_view key;
};

Knock knock_of(const net::ServerExchange& http) {
  return {.address = address_of(http.peer()), .key = presented_key(http.head().headers)};
}

// While no key is configured at all (default-deny).
Result<void> check_open(std::string_view address) {
  if (is_this_machine(address)) return {};
  return Error(Outcome::Unauthorized,
               "no key is configured, so this gateway serves its own machine only; its operator "
               "can make one with `sluice keys create`");
}

// What a stranger is told is the same for every key that opens nothing (acceptance SEC-7).
Error refusal(KeyFault fault, std::string_view presented) {
  if (fault == KeyFault::Missing) {
    return Error(Outcome::Unauthorized,
                 "this gateway asks for a key: send it as `Authorization: Bearer KEY`, `x-api-key` "
                 "or `api-key`");
  }
  return Error(Outcome::Unauthorized, "the key " + governance::shown_key(presented) +
                                          " is unknown, expired, revoked or not good from here");
}

std::string_view words_for(KeyFault fault) {
  switch (fault) {
    case KeyFault::Expired:
      return "the key has expired";
    case KeyFault::Revoked:
      return "the key is revoked";
    case KeyFault::Address:
      return "the key is not good from this address";
    case KeyFault::Missing:
      return "no key";
    case KeyFault::Unknown:
      break;
  }
  return "no such key";
}

Error forbidden(const Directory::Entry& caller, std::string_view what, std::string_view name) {
  std::string message = "the key '" + caller.key.name + "' may not use ";
  message += what;
  message += " '";
  message += name;
  message += '\'';
  return Error(Outcome::Forbidden, std::move(message), "model");
}

// For the row: also of a key that opens nothing any more.
void note_caller(Exchange& exchange, const Directory::Entry& entry) {
  telemetry::Caller& caller = exchange.record.caller;
  caller.key = entry.key.name;
  caller.team = entry.key.team;
  caller.organisation = entry.organisation;
  caller.environment = entry.key.environment;
}

// Tiers, aliases, routes and tasks have names of their own; a plain model has none.
Result<void> check_name(const Directory::Entry& caller, std::string_view alias) {
  constexpr std::string_view kTask = "task/";
  if (alias.empty()) return {};
  if (alias.starts_with(kTask)) {
    const std::string_view task = alias.substr(kTask.size());
    if (!governance::allows(caller.key.rights.tasks, task)) return forbidden(caller, "task", task);
    return {};
  }
  if (!governance::allows(caller.key.rights.tiers, alias))
    return forbidden(caller, "tier or alias", alias);
  return {};
}

}  // namespace

std::string_view presented_key(const net::Headers& headers) {
  constexpr std::string_view kBearer = "bearer ";
  if (const auto authorization = headers.find("authorization")) {
    if (net::begins_with_name(*authorization, kBearer)) {
      std::string_view key = authorization->substr(kBearer.size());
      while (key.starts_with(' ')) key.remove_prefix(1);
      if (!key.empty()) return key;
    }
  }
  if (const auto key = headers.find("x-api-key")) return *key;
  return headers.find("api-key").value_or("");
}

Result<void> identify(Exchange& exchange) {
  exchange.directory = exchange.shared.directory;
  const Directory& directory = *exchange.directory;
  const Knock knock = knock_of(exchange.http);
  if (directory.open()) return check_open(knock.address);
  const Directory::Found found =
      directory.find(knock.key, knock.address, exchange.record.started_micros);
  if (found.entry != nullptr) note_caller(exchange, *found.entry);
  if (!found.fault) {
    exchange.caller = found.entry;
    if (found.entry->key.restricted) exchange.restrict();
    if (found.entry->key.keeps_bodies) exchange.keep_bodies();
    return {};
  }
  exchange.add_reason(words_for(*found.fault));
  return refusal(*found.fault, knock.key);
}

Result<Visitor> visitor_of(const Shared& shared, const net::ServerExchange& http) {
  Visitor visitor{.directory = shared.directory};
  const Knock knock = knock_of(http);
  if (visitor.directory->open()) {
    if (Result<void> here = check_open(knock.address); !here) return std::move(here).error();
    return visitor;
  }
  const Directory::Found found =
      visitor.directory->find(knock.key, knock.address, shared.loop.wall_micros());
  if (found.fault) return refusal(*found.fault, knock.key);
  visitor.caller = found.entry;
  return visitor;
}

Result<void> check_endpoint(const Exchange& exchange) {
  if (exchange.caller == nullptr) return {};
  const std::string_view name = chat::name_of(exchange.request.endpoint);
  if (governance::allows(exchange.caller->key.rights.endpoints, name)) return {};
  return forbidden(*exchange.caller, "endpoint", name);
}

Result<void> check_route(Exchange& exchange) {
  if (exchange.caller == nullptr) return {};
  if (Result<void> allowed = check_name(*exchange.caller, exchange.route->alias); !allowed)
    return allowed;
  return keep_allowed(exchange);
}

Result<void> keep_allowed(Exchange& exchange) {
  exchange.own_rules.reset();
  if (exchange.caller == nullptr) return {};
  const Directory::Entry& caller = *exchange.caller;
  const governance::Rights& rights = caller.key.rights;
  if (rights.models.empty() && rights.providers.empty()) return {};
  const auto& upstreams = exchange.snapshot->upstreams;
  const auto is_forbidden = [&](const routing::Target& target) {
    return !governance::allows_model(rights, upstreams[target.provider]->name(), target.model);
  };
  auto rules = std::make_unique<Snapshot::Rules>(rules_of(exchange));
  std::erase_if(rules->on_context_overflow, is_forbidden);
  std::erase_if(rules->on_content_policy, is_forbidden);
  exchange.own_rules = std::move(rules);
  const std::vector<routing::Target>& targets = exchange.route->targets;
  if (std::none_of(targets.begin(), targets.end(), is_forbidden)) return {};
  auto own = std::make_unique<routing::Route>(*exchange.route);
  std::erase_if(own->targets, is_forbidden);
  if (own->targets.empty()) {
    const routing::Target& first = targets.front();
    return forbidden(caller, "model", upstreams[first.provider]->name() + "/" + first.model);
  }
  exchange.own_route(std::move(own));
  exchange.add_reason("some targets are not the key's to use");
  return {};
}

std::string owner_of(const Exchange& exchange) {
  if (exchange.caller == nullptr) return {};
  const governance::Key& key = exchange.caller->key;
  return key.team.empty() ? "key:" + key.name : "team:" + key.team;
}

bool may_use(const Visitor& visitor, const Snapshot& snapshot, std::string_view target) {
  if (visitor.caller == nullptr) return true;
  const std::string_view provider = target.substr(0, target.find('/'));
  const std::string_view model = target.substr(std::min(provider.size() + 1, target.size()));
  const auto upstream = std::ranges::find(snapshot.upstreams, provider, [](const auto& each) {
    return std::string_view(each->name());
  });
  if (upstream == snapshot.upstreams.end()) return false;
  const governance::Key& key = visitor.caller->key;
  return ((*upstream)->local() || !key.restricted) &&
         governance::allows_model(key.rights, provider, model);
}

bool may_name(const Visitor& visitor, const Snapshot& snapshot, std::string_view name) {
  if (visitor.caller == nullptr) return true;
  // What a tier, alias, route or task may come to; "auto" may come to anything.
  bool is_alias = name == "auto";
  bool allowed = is_alias;
  for (const routing::Slot& slot : snapshot.router.slots()) {
    if (slot.alias != name) continue;
    is_alias = true;
    const std::string& provider = snapshot.upstreams[slot.provider]->name();
    allowed |= may_use(visitor, snapshot, provider + "/" + slot.model);
  }
  if (!is_alias) return may_use(visitor, snapshot, name);
  return allowed && check_name(*visitor.caller, name);
}

}  // namespace sluice::gateway
