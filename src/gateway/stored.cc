#include "gateway/stored.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "gateway/caller.h"
#include "gateway/exchange.h"

namespace sluice::gateway {
namespace {

constexpr size_t kLongestId = 256;

// What it is made of goes into the upstream's path: nothing that means something there.
bool is_id(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= kLongestId && std::all_of(text.begin(), text.end(), fits);
}

std::string_view query_of(std::string_view target) {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark);
}

// "?include[]=a&stream=true"
bool asks_for_stream(std::string_view query) {
  while (!query.empty()) {
    query.remove_prefix(1);
    const std::string_view one = query.substr(0, query.find('&'));
    if (one == "stream=true") return true;
    query.remove_prefix(one.size());
  }
  return false;
}

Error not_found(const Exchange& exchange, const std::string& why) {
  return Error(Outcome::NotFound, "Response with id '" + exchange.stored->id + "' " + why,
               "response_id");
}

// Also of a model that is no longer in the configuration, as long as its provider is.
std::optional<routing::Target> target_named(const Snapshot& snapshot, std::string_view name) {
  const std::string_view provider = name.substr(0, name.find('/'));
  const std::string_view model = name.substr(provider.size() + 1);
  const auto upstream = std::find_if(snapshot.upstreams.begin(), snapshot.upstreams.end(),
                                     [&](const auto& each) { return each->name() == provider; });
  if (upstream == snapshot.upstreams.end()) return std::nullopt;
  const auto index = static_cast<uint16_t>(upstream - snapshot.upstreams.begin());
  const std::vector<routing::Slot>& slots = snapshot.router.slots();
  const auto slot = std::find_if(slots.begin(), slots.end(), [&](const routing::Slot& each) {
    return each.alias.empty() && each.provider == index && each.model == model;
  });
  const uint32_t number = slot == slots.end() ? index : static_cast<uint32_t>(slot - slots.begin());
  return routing::Target{.provider = index, .slot = number, .model = std::string(model)};
}

}  // namespace

Result<void> read_stored(Exchange& exchange) {
  constexpr std::string_view kBefore = "/responses/";
  const net::RequestHead& head = exchange.http.head();
  const StoredCall& call = exchange.stored->call;
  std::string_view path = head.path();
  if (path.ends_with('/')) path.remove_suffix(1);
  path.remove_prefix(path.find(kBefore) + kBefore.size());
  path.remove_suffix(call.path.size());
  if (!is_id(path)) {
    return Error(Outcome::BadRequest,
                 "the id of a response has 1 to " + std::to_string(kLongestId) +
                     " letters, digits, '_' and '-'; this is none",
                 "response_id");
  }
  StoredRequest& stored = *exchange.stored;
  stored.id = path;
  const std::string_view query = query_of(head.target);
  stored.below.append("/").append(path).append(call.path).append(query);
  exchange.request.stream = asks_for_stream(query);
  exchange.record.stream = exchange.request.stream;
  return {};
}

Result<void> find_maker(Exchange& exchange) {
  const Snapshot& snapshot = *exchange.snapshot;
  std::optional<Maker> maker;
  if (snapshot.pins != nullptr) maker = snapshot.pins->find(exchange.stored->id);
  if (!maker || maker->owner != owner_of(exchange)) {
    return not_found(exchange,
                     "is not known here. Who made a response is remembered in memory alone: this "
                     "one was made before a restart, by another instance, too long ago, or never");
  }
  if (!maker->kept) {
    return not_found(exchange,
                     "was not stored: it was converted from an answer of '" + maker->target +
                         "', which is not asked by the Responses API, so nobody keeps it");
  }
  std::optional<routing::Target> target = target_named(snapshot, maker->target);
  if (!target) {
    return not_found(exchange, "was made by '" + maker->target +
                                   "', whose provider is no longer in the configuration");
  }
  const providers::Upstream& upstream = *snapshot.upstreams[target->provider];
  if (upstream.call_for(chat::Endpoint::Responses, target->model) != providers::Call::Responses) {
    return not_found(exchange, "was made by '" + maker->target +
                                   "', which the configuration no longer lets speak Responses");
  }
  auto route = std::make_shared<routing::Route>();
  route->targets.push_back(*std::move(target));
  route->reason = "it made the response";
  route->fallback = false;
  exchange.own_route(std::move(route));
  exchange.record.reason = exchange.route->reason;
  exchange.prefer_key(upstream, maker->key);
  return {};
}

}  // namespace sluice::gateway
