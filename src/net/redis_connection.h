// One connection to one Redis server, shared by any number of coroutines: commands of one turn of
// the loop go out together, replies are matched in order.
//
// Belongs to one loop. Whatever makes the order doubtful ends the connection and fails all that
// wait: nobody ever gets a neighbour's reply (reliability R9).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/redis_command.h"
#include "net/redis_dial.h"
#include "net/stream.h"

namespace sluice::net {

class RedisConnection;

// co_await: the reply to one command, an error reply included, or why there is none. When the wait
// ends early the reply is skipped when it comes.
class RedisWait final : public Wait, private Deferred {
 public:
  RedisWait(RedisConnection& connection, Loop& loop, const RedisCommand& command, bool asking,
            Until until);
  ~RedisWait();
  bool await_ready() { return answer_.has_value() || given_up(); }
  void await_suspend(std::coroutine_handle<> coroutine) { suspend(coroutine); }
  Result<RedisReply> await_resume();

 private:
  friend class RedisConnection;
  void settle(Result<RedisReply> answer);
  // At the end of the turn: whoever gives the answer is in the middle of something.
  void on_turn_end() override { wake(Wake::Ready); }

  RedisConnection* connection_;  // null once there is an answer
  uint64_t ticket_ = 0;
  std::optional<Result<RedisReply>> answer_;
};

class RedisConnection final : private ReadyHook, private Deferred {
 public:
  // Told once when the connection has failed. It must not be destroyed inside.
  class Owner {
   public:
    virtual void on_lost() = 0;

   protected:
    ~Owner() = default;
  };

  // Not through yet: commands gather until attach(). `owner` must outlive it.
  RedisConnection(Loop& loop, Owner& owner) : loop_(loop), owner_(owner) {}
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  void attach(RedisLink link);
  // Fails everything that waits and everything that comes.
  void fail(const Error& why);
  bool failed() const { return failure_.has_value(); }
  // Requires: failed().
  const Error& failure() const { return *failure_; }

  // `command` is read at once. `asking`: for a slot that is on its way to this node.
  RedisWait send(const RedisCommand& command, bool asking, Until until) {
    return RedisWait(*this, loop_, command, asking, until);
  }

 private:
  friend class RedisWait;
  void enqueue(const RedisCommand& command, bool asking, RedisWait& wait);
  void forget(uint64_t ticket) { waits_[ticket - first_ticket_] = nullptr; }
  void push(RedisWait* wait);
  void on_ready() override { pump(); }
  void on_turn_end() override { pump(); }
  void pump();
  bool write();
  bool read();
  bool take_replies();
  void lose(const IoResult& result);

  Loop& loop_;
  Owner& owner_;
  std::optional<RedisLink> link_;
  std::string out_;
  size_t written_ = 0;  // of out_
  // Who waits for the replies to come, in order; null: nobody any more.
  std::deque<RedisWait*> waits_;
  uint64_t first_ticket_ = 0;  // of waits_
  std::optional<Error> failure_;
};

}  // namespace sluice::net
