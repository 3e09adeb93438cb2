// The Redis client: one server, a master behind sentinels, or a cluster, as the URL says.
//
// Made for things that help but are not the truth (leases, caches, hints): every command has a
// deadline, and while Redis is down commands fail at once. A command is sent once; whether one that
// failed was carried out, nobody knows. Belongs to one loop, which it must not outlive; its tasks
// must end before it. A command that blocks (XREAD BLOCK) holds up all behind it: it needs a client
// of its own, and a deadline longer than it blocks.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/redis_cluster.h"
#include "net/redis_command.h"
#include "net/redis_dial.h"
#include "net/redis_node.h"
#include "net/redis_reply.h"

namespace sluice::net {

// A Lua script, known to Redis by its hash. Immutable.
class RedisScript {
 public:
  explicit RedisScript(std::string source);
  const std::string& source() const { return source_; }
  const std::string& sha1() const { return sha1_; }  // 40 hex digits

 private:
  std::string source_;
  std::string sha1_;
};

class RedisClient {
 public:
  // Begins to connect. Requires: options.tls is set if, and only if, the URL says TLS.
  RedisClient(Loop& loop, Resolver& resolver, RedisOptions options);
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  // The reply, which is no error; an array may hold some. What an error means: redis_fault().
  // Overloaded where too much waits for Redis already.
  Task<Result<RedisReply>> command(RedisCommand command, Until until);
  Task<Result<RedisReply>> command(RedisCommand command) {
    return this->command(std::move(command), patience());
  }

  // EVALSHA, or EVAL where the script is not known (any more), both within `until`. In a cluster
  // all keys must have the same slot. `script` must live until the task ends.
  Task<Result<RedisReply>> eval(const RedisScript& script, std::span<const std::string_view> keys,
                                std::span<const std::string_view> arguments, Until until);

  // RedisOptions::deadline from now.
  Until patience(Cancel* cancel = nullptr) const {
    return Until(loop_.after(options_.deadline), cancel);
  }
  Nanos deadline() const { return options_.deadline; }
  RedisStatus status() const;

 private:
  Task<Result<RedisReply>> run_script(const RedisScript& script, RedisCommand by_hash, Until until);

  Loop& loop_;
  const RedisOptions options_;
  std::unique_ptr<RedisCluster> cluster_;  // one of the two
  std::unique_ptr<RedisNode> node_;
};

}  // namespace sluice::net
