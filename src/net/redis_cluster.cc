#include "net/redis_cluster.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/url_parts.h"

namespace sluice::net {
namespace {

constexpr int kMaxRedirects = 5;
constexpr Nanos kLongestDoubt = kSecond;  // between two questions for the map while a node is down

// One line of CLUSTER SLOTS: first, last, [host, port, id, ...], replicas...
struct SlotRange {
  size_t first;
  size_t last;
  RedisEndpoint node;
};

std::optional<SlotRange> parse_range(const RedisReply& line, const RedisEndpoint& asked) {
  if (line.items.size() < 3 || line.items[2].items.size() < 2) return std::nullopt;
  const std::optional<int64_t> first = line.items[0].number_of();
  const std::optional<int64_t> last = line.items[1].number_of();
  const RedisReply& host = line.items[2].items[0];
  const std::optional<int64_t> port = line.items[2].items[1].number_of();
  if (!first || !last || !port || *first < 0 || *last < *first || *last >= kRedisSlots ||
      *port < 1 || *port > 65535 || host.text == "?") {
    return std::nullopt;
  }
  SlotRange range{.first = static_cast<size_t>(*first),
                  .last = static_cast<size_t>(*last),
                  .node = {.host = host.text, .port = static_cast<uint16_t>(*port)}};
  // A node that does not know its own address: it is where we asked.
  if (range.node.host.empty()) range.node.host = asked.host;
  return range;
}

}  // namespace

std::optional<RedisRedirect> parse_redis_redirect(std::string_view error) {
  RedisRedirect redirect;
  redirect.ask = error.starts_with("ASK ");
  if (!redirect.ask && !error.starts_with("MOVED ")) return std::nullopt;
  error.remove_prefix(error.find(' ') + 1);
  const auto [end, failed] =
      std::from_chars(error.data(), error.data() + error.size(), redirect.slot);
  error.remove_prefix(static_cast<size_t>(end - error.data()));
  if (failed != std::errc() || redirect.slot >= kRedisSlots || !error.starts_with(' ')) {
    return std::nullopt;
  }
  error.remove_prefix(1);
  // Redis writes IPv6 addresses without brackets.
  const size_t colon = error.rfind(':');
  const std::optional<uint16_t> port =
      colon == std::string_view::npos ? std::nullopt : parse_port(error.substr(colon + 1));
  if (!port) return std::nullopt;
  redirect.to.host = error.substr(0, colon);
  redirect.to.port = *port;
  return redirect;
}

RedisCluster::RedisCluster(Loop& loop, Resolver& resolver, const RedisOptions& options)
    : loop_(loop),
      resolver_(resolver),
      options_(options),
      dialer_(loop, resolver, options),
      slots_(kRedisSlots),
      pause_(options.first_pause, std::min(options.last_pause, kLongestDoubt)),
      since_(loop.now()) {
  node_at(options_.url.endpoints.front());
  tasks_.spawn(run());
}

RedisCluster::~RedisCluster() {
  tasks_.clear();
}

Task<void> RedisCluster::run() {
  for (;;) {
    const bool known = co_await refresh();
    note_health();
    if (known && was_up_) pause_.reset();
    const Deadline next = loop_.after(pause_.take());
    co_await Sleep(loop_, Until(next));
    note_health();
    if (!known || !was_up_) continue;
    co_await doubt_.listen(loop_, Until::forever());
    co_await Yield(loop_);  // whoever rang goes on first
  }
}

Task<bool> RedisCluster::refresh() {
  std::vector<Node> nodes;
  for (const auto& [name, node] : nodes_) nodes.push_back(node);
  ++turn_;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[(turn_ + i) % nodes.size()];
    if (!node->up()) continue;
    const bool adopted = co_await ask(node);
    if (adopted) co_return true;
  }
  co_return co_await ask_afresh();
}

Task<bool> RedisCluster::ask(Node node) {
  RedisCommand question("CLUSTER", "SLOTS");
  const Until until(loop_.after(options_.connect));
  Result<RedisReply> reply = co_await node->command(std::move(question), false, until);
  co_return reply&& adopt(*reply, *node->peer());
}

Task<bool> RedisCluster::ask_afresh() {
  Result<RedisLink> link = co_await dialer_.dial(Until::forever());
  if (!link) {
    map_error_ = link.error().message();
    co_return false;
  }
  std::string wire;
  RedisCommand("CLUSTER", "SLOTS").append_to(wire);
  const Until until(loop_.after(options_.connect));
  Result<std::vector<RedisReply>> replies = co_await exchange(*link, std::move(wire), 1, until);
  if (!replies) {
    map_error_ = replies.error().message();
    co_return false;
  }
  if (replies->front().is_error()) map_error_ = redis_error(replies->front().text).message();
  co_return adopt(replies->front(), link->peer);
}

bool RedisCluster::adopt(const RedisReply& reply, const RedisEndpoint& asked) {
  if (reply.kind != RedisReply::Kind::Array) return false;
  std::vector<Node> slots(kRedisSlots);
  std::map<std::string, Node> used;
  for (const RedisReply& line : reply.items) {
    const std::optional<SlotRange> range = parse_range(line, asked);
    if (!range) continue;
    const Node node = node_at(range->node);
    used[range->node.text()] = node;
    std::fill(slots.begin() + static_cast<ptrdiff_t>(range->first),
              slots.begin() + static_cast<ptrdiff_t>(range->last) + 1, node);
  }
  if (used.empty()) {
    map_error_ = "the cluster has given no slot to any node";
    return false;
  }
  complete_ = std::find(slots.begin(), slots.end(), nullptr) == slots.end();
  slots_ = std::move(slots);
  nodes_ = std::move(used);
  return true;
}

bool RedisCluster::healthy() const {
  return complete_ && std::all_of(nodes_.begin(), nodes_.end(),
                                  [](const auto& named) { return named.second->up(); });
}

void RedisCluster::note_health() {
  if (healthy() == was_up_) return;
  was_up_ = !was_up_;
  since_ = loop_.now();
}

RedisCluster::Node RedisCluster::node_at(const RedisEndpoint& endpoint) {
  Node& node = nodes_[endpoint.text()];
  if (node == nullptr) {
    node = std::make_shared<RedisNode>(loop_, RedisDialer(loop_, resolver_, options_, endpoint),
                                       options_);
  }
  return node;
}

RedisCluster::Node RedisCluster::any_node() const {
  const auto up =
      std::find_if(nodes_.begin(), nodes_.end(), [](const auto& n) { return n.second->up(); });
  return up != nodes_.end() ? up->second : nodes_.begin()->second;
}

RedisCluster::Node RedisCluster::node_for(const RedisCommand& command) const {
  const std::optional<std::string_view> key = command.key();
  const Node node = key ? slots_[redis_slot(*key)] : nullptr;
  return node != nullptr ? node : any_node();
}

Task<Result<RedisReply>> RedisCluster::command(RedisCommand command, Until until) {
  Node node = node_for(command);
  bool asking = false;
  for (int redirects = 0;; ++redirects) {
    Result<RedisReply> reply = co_await node->command(command, asking, until);
    if (!reply) {
      note_health();
      doubt_.ring();
      co_return std::move(reply);
    }
    if (!reply->is_error()) co_return std::move(reply);
    if (reply->text.starts_with("CLUSTERDOWN") || reply->text.starts_with("READONLY")) {
      doubt_.ring();
    }
    std::optional<RedisRedirect> redirect = parse_redis_redirect(reply->text);
    if (!redirect || redirects == kMaxRedirects) co_return std::move(reply);
    if (redirect->to.host.empty()) redirect->to.host = node->peer()->host;
    node = node_at(redirect->to);
    asking = redirect->ask;
    if (!asking) {
      slots_[redirect->slot] = node;
      doubt_.ring();
    }
  }
}

RedisStatus RedisCluster::status() const {
  RedisStatus sum;
  sum.up = healthy();
  sum.since = since_;
  sum.last_error = map_error_;
  for (const auto& [name, node] : nodes_) {
    const RedisStatus& one = node->status();
    if (!one.last_error.empty()) sum.last_error = one.last_error;
    sum.round_trips += one.round_trips;
    sum.failures += one.failures;
    sum.rejected += one.rejected;
    sum.connects += one.connects;
    sum.total_latency += one.total_latency;
    sum.latency = std::max(sum.latency, one.latency);
  }
  return sum;
}

}  // namespace sluice::net
