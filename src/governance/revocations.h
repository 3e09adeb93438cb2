// Texts of keys that open nothing any more, as instances tell each other through a Redis they
// share. What is revoked stays so: the list only grows.
//
// Redis is not the truth here either: each instance keeps what it has heard (control.db), and puts
// into a Redis that was emptied, or is an old copy of itself, what is missing there. Belongs to one
// loop; tell() and at_start() are for all.
#pragma once

#include <functional>
#include <latch>
#include <map>
#include <string>
#include <vector>

#include "base/task.h"
#include "governance/virtual_key.h"
#include "net/loop.h"
#include "net/redis.h"

namespace sluice::governance {

struct Revocation {
  Digest text{};    // KeyDigest::shared
  std::string key;  // whose text it was, for people
};

class Revocations {
 public:
  // On the loop. False: nobody can take it now; it is offered again.
  using Heard = std::function<bool(const std::vector<Revocation>&)>;

  // Begins at once. `known`: of this instance; `heard`: gets what it did not know.
  Revocations(net::Loop& loop, net::RedisClient& redis, const std::string& prefix,
              const std::vector<Revocation>& known, Heard heard);
  Revocations(const Revocations&) = delete;
  Revocations& operator=(const Revocations&) = delete;

  // The others hear of it at once, or as soon as Redis answers.
  void tell(std::vector<Revocation> revoked);
  // What Redis knew at the start and this instance did not; nothing, if it does not answer. Waits
  // for that. Not on the loop's thread.
  const std::vector<Revocation>& at_start() const {
    introduced_.wait();
    return at_start_;
  }

 private:
  Task<void> run();
  // What this instance did not know.
  Task<std::vector<Revocation>> exchange(Until until);
  std::vector<Revocation> compare(const net::RedisReply& reply);

  net::Loop& loop_;
  net::RedisClient& redis_;
  const std::string place_;  // in Redis
  const net::RedisScript script_;
  const Heard heard_;
  std::map<Digest, std::string> known_;
  std::map<Digest, std::string> untold_;  // that Redis is not known to have
  std::string revision_;                  // of the list in Redis, as it was seen last
  net::Bell news_;
  std::vector<Revocation> at_start_;
  std::latch introduced_{1};
  TaskGroup tasks_;  // last: its coroutines use all of the above
};

}  // namespace sluice::governance
