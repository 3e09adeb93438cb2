// Several instances behave as one, through Redis and without asking it for each request: keeps this
// instance's part of every limit. Asks for more where requests wait for it, gives back what is not
// needed, and tells what was spent.
//
// Nobody trusts Redis with money: each instance's ledger is the truth about what that instance has
// spent, and is told anew whenever Redis has forgotten it. While Redis is silent each instance
// keeps what it has and takes its share of what was left (acceptance RL-6); no request fails
// because of it. Belongs to one loop; ask_others(), report() and status() are for all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/task.h"
#include "governance/accounts.h"
#include "net/loop.h"
#include "net/redis.h"

namespace sluice::governance {

struct ShareOptions {
  std::string prefix = "sluice";  // of all keys
  std::string instance;           // lasting, and no other instance's
  Nanos lease = 3 * kSecond;      // what a dead instance held comes back after so long
  // A budget has passed a mark, and no other instance has said so. On the loop.
  std::function<void(const Crossing&)> tell;
};

// For health and metrics.
struct ShareStatus {
  bool up = false;
  std::string reason;  // why not
  int64_t instances = 1;
  uint64_t asked = 0;  // requests that waited for an answer
  uint64_t calls = 0;  // about limits, whoever wanted them
  net::RedisStatus redis;
};

class SharedLimits {
 public:
  // Begins at once. All but `options` outlive it. Requires: `accounts` share with `peers`.
  SharedLimits(net::Loop& loop, net::RedisClient& redis, Accounts& accounts, Peers& peers,
               ShareOptions options);
  SharedLimits(const SharedLimits&) = delete;
  SharedLimits& operator=(const SharedLimits&) = delete;

  // On the loop `asking`: asks for room for `ask`, then it is worth trying to take again. Returns
  // soon in any case. This and both loops must outlive the task.
  Task<void> ask_others(net::Loop& asking, std::shared_ptr<Account> account, Ask ask,
                        Cancel* cancel);
  // Any thread. The first of the instances that share a budget tells of it.
  void report(Crossing crossing);
  ShareStatus status() const;
  // Until Redis has been told what was spent here, or does not answer. Not on the loop's thread.
  void await_introduction() const { introduced_.wait(); }
  bool introduced() const { return introduced_.try_wait(); }

 private:
  struct Question;
  struct Entry {
    std::shared_ptr<Account> account;
    std::string tag;  // what its keys begin with
    std::vector<std::shared_ptr<Question>> waiting;
    bool in_call = false;
    Nanos last_asked = -kSecond;  // by a request that waits
    Nanos last_used = 0;
  };

  Task<void> run();
  Task<void> introduce();
  Task<bool> greet(Until until);
  void come_up(const net::RedisReply& reply);
  void go_down(const Error& why);
  void sweep();
  void look_after_all();
  void hear(std::shared_ptr<Question> question);
  Entry& entry_of(const std::shared_ptr<Account>& account);
  void call(Entry& entry);
  Task<void> talk(Entry& entry);
  Task<void> tell(Entry& entry, Waiting waiting);
  Task<void> tell_once(Crossing crossing);
  std::string tag_of(Level level, std::string_view subject) const;
  bool busy(const Entry& entry) const;
  Moment moment() const { return {.monotonic = loop_.now(), .wall_micros = loop_.wall_micros()}; }
  void publish();

  net::Loop& loop_;
  net::RedisClient& redis_;
  Accounts& accounts_;
  Peers& peers_;
  const ShareOptions options_;
  const net::RedisScript share_;
  const net::RedisScript presence_;
  std::unordered_map<const Account*, Entry> entries_;
  size_t calls_under_way_ = 0;
  uint64_t connects_ = 0;  // of the Redis client, when it last answered
  Nanos greeted_at_ = 0;
  std::string reason_ = "no answer yet";
  uint64_t asked_ = 0;
  uint64_t calls_ = 0;

  mutable std::mutex mutex_;
  ShareStatus status_;
  std::latch introduced_{1};
  TaskGroup tasks_;  // last: its coroutines use all of the above
};

}  // namespace sluice::governance
