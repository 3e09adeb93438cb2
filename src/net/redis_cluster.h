// A Redis cluster: which node has which slot, and a connection to each node that has any.
//
// The map is asked for at the start, after every redirection (MOVED), and again and again while a
// node is down. Belongs to one loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/redis_node.h"

namespace sluice::net {

// Where a cluster sends us: "MOVED 3999 127.0.0.1:6381", "ASK 3999 node:6381".
struct RedisRedirect {
  bool ask = false;  // this command only: the slot is being moved
  uint16_t slot = 0;
  RedisEndpoint to;  // host empty: the node that said so, at another port
};
std::optional<RedisRedirect> parse_redis_redirect(std::string_view error);

class RedisCluster {
 public:
  // `options` must outlive it.
  RedisCluster(Loop& loop, Resolver& resolver, const RedisOptions& options);
  ~RedisCluster();
  RedisCluster(const RedisCluster&) = delete;
  RedisCluster& operator=(const RedisCluster&) = delete;

  // To the node that has the key, after at most five redirections; a command without a key goes to
  // any. Otherwise as RedisNode::command().
  Task<Result<RedisReply>> command(RedisCommand command, Until until);

  // Up: every slot has a node that is up. Numbers: of all nodes, those that left the cluster not.
  RedisStatus status() const;

 private:
  using Node = std::shared_ptr<RedisNode>;

  Task<void> run();
  Task<bool> refresh();
  Task<bool> ask(Node node);
  Task<bool> ask_afresh();
  bool adopt(const RedisReply& reply, const RedisEndpoint& asked);
  bool healthy() const;
  void note_health();
  Node node_at(const RedisEndpoint& endpoint);
  Node any_node() const;
  Node node_for(const RedisCommand& command) const;

  Loop& loop_;
  Resolver& resolver_;
  const RedisOptions& options_;
  RedisDialer dialer_;
  std::map<std::string, Node> nodes_;  // by "host:port"; never empty
  std::vector<Node> slots_;            // null: not known
  bool complete_ = false;              // no slot is null
  RedisPause pause_;
  Bell doubt_;  // rung when the map may be wrong
  size_t turn_ = 0;
  bool was_up_ = false;
  Nanos since_;
  std::string map_error_;
  TaskGroup tasks_;  // last: its coroutine uses all of the above
};

}  // namespace sluice::net
