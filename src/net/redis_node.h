// One Redis server as we see it: up with a connection, or down with a reason. Connects, notices
// when it has gone, and connects again with growing pauses; one attempt at a time.
//
// While it is down commands fail at once (reliability R2); only those from before the end of the
// very first attempt wait for it. A server that is connected but lets too many commands in a row
// wait for nothing counts as down too, and after that a single one is enough until it has answered.
// Belongs to one loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/id.h"
#include "base/result.h"
#include "base/task.h"
#include "net/redis_connection.h"
#include "net/redis_dial.h"

namespace sluice::net {

// For health and metrics. No secrets.
struct RedisStatus {
  bool up = false;
  Nanos since = 0;           // monotonic: of the last change between up and down
  std::string last_error;    // why it went down last, or could not come up; stays
  uint64_t round_trips = 0;  // commands with a reply, error replies included
  uint64_t failures = 0;     // commands without one: too late, given up, or lost with a connection
  uint64_t rejected = 0;     // commands that were not sent: it was down
  uint64_t connects = 0;     // logins that worked
  Nanos total_latency = 0;   // of all round trips
  Nanos latency = 0;         // smoothed: each round trip counts an eighth
};

// A pause before the next attempt: grows by doubling, with jitter.
class RedisPause {
 public:
  RedisPause(Nanos first, Nanos last) : first_(first), last_(last), next_(first) {}
  // From a half to the whole of the current length.
  Nanos take();
  void reset() { next_ = first_; }

 private:
  IdSource random_ = IdSource::from_os(0);
  Nanos first_;
  Nanos last_;
  Nanos next_;
};

class RedisNode final : private RedisConnection::Owner, private Deferred {
 public:
  // Begins to connect. `options` must outlive it.
  RedisNode(Loop& loop, RedisDialer dialer, const RedisOptions& options);
  ~RedisNode();
  RedisNode(const RedisNode&) = delete;
  RedisNode& operator=(const RedisNode&) = delete;

  // The reply, an error reply included, or why there is none. Sent once, never again: after Down
  // and Deadline nobody knows whether it was carried out. The node must outlive the task.
  Task<Result<RedisReply>> command(RedisCommand command, bool asking, Until until);

  bool up() const { return status_.up; }
  // Neither up, nor on its first attempt.
  bool down() const { return connection_ == nullptr || connection_->failed(); }
  const RedisStatus& status() const { return status_; }
  // Where it is, or was; nothing before the first connection.
  const std::optional<RedisEndpoint>& peer() const { return peer_; }

 private:
  Task<void> run();
  void begin_connection();
  void come_up(RedisLink link);
  void go_down(const Error& why);
  void on_lost() override;
  void on_turn_end() override { lost_.ring(); }
  void judge(const Result<RedisReply>& answer, Nanos took);
  void close(const std::string& why);

  Loop& loop_;
  RedisDialer dialer_;
  const RedisOptions& options_;
  RedisStatus status_;
  Error reason_;  // why it went down last
  RedisPause pause_;
  std::optional<RedisEndpoint> peer_;
  std::unique_ptr<RedisConnection> connection_;  // null: down
  Bell lost_;
  int failures_ = 0;  // in a row
  TaskGroup tasks_;   // last: its coroutine uses all of the above
};

}  // namespace sluice::net
