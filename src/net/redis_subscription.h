// Messages of Redis channels, on a connection of its own. Redis keeps none for those who were away:
// whoever listens must read the state anew when told of a gap.
//
// Belongs to one loop, which it must not outlive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "net/redis_dial.h"
#include "net/redis_node.h"

namespace sluice::net {

class RedisSubscription {
 public:
  // Called on the loop's thread; must not destroy the subscription inside.
  class Handler {
   public:
    virtual void on_message(std::string_view channel, std::string_view payload) = 0;
    // Listening now, for the first time or again: what was sent before may have been missed, what
    // is sent from now on comes.
    virtual void on_gap() = 0;

   protected:
    ~Handler() = default;
  };

  // Begins to connect. `handler` must outlive it. Requires: at least one channel, and as for
  // RedisClient.
  RedisSubscription(Loop& loop, Resolver& resolver, RedisOptions options,
                    std::vector<std::string> channels, Handler& handler);
  ~RedisSubscription();
  RedisSubscription(const RedisSubscription&) = delete;
  RedisSubscription& operator=(const RedisSubscription&) = delete;

  // Up: listening. The numbers about commands stay zero.
  const RedisStatus& status() const { return status_; }
  uint64_t messages() const { return messages_; }

 private:
  Task<void> run();
  Task<Error> listen(RedisLink& link);
  Task<Result<void>> more(RedisLink& link, bool& asked);
  Result<void> take(const RedisReply& reply, bool& asked);
  void go_down(const Error& why);

  Loop& loop_;
  const RedisOptions options_;
  RedisDialer dialer_;
  const std::vector<std::string> channels_;
  Handler& handler_;
  RedisStatus status_;
  RedisPause pause_;
  uint64_t messages_ = 0;
  size_t confirmed_ = 0;  // channels, on this connection
  TaskGroup tasks_;       // last: its coroutine uses all of the above
};

}  // namespace sluice::net
