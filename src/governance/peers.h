// What the accounts of this instance know of the other instances: whether the store they share
// answers, and how many there are. Any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/time.h"

namespace sluice::governance {

class Account;

class Peers {
 public:
  // Whether what the store says holds. If not, each instance keeps to its share.
  bool in_touch(Nanos now) const {
    return up_.load(std::memory_order_acquire) &&
           now >= settled_at_.load(std::memory_order_acquire);
  }
  bool up() const { return up_.load(std::memory_order_acquire); }
  // That were alive at the last contact, this one included.
  int64_t instances() const { return instances_.load(std::memory_order_relaxed); }

  // A store that may have forgotten something is believed when all have had time to tell it.
  void come_up(Nanos settled_at) {
    settled_at_.store(settled_at, std::memory_order_release);
    up_.store(true, std::memory_order_release);
  }
  void go_down(Nanos now) {
    if (up_.exchange(false, std::memory_order_acq_rel)) lost_at_.store(now);
  }
  // When the store was last lost; 0: never.
  Nanos lost_at() const { return lost_at_.load(std::memory_order_relaxed); }
  void set_instances(int64_t count) { instances_.store(count, std::memory_order_relaxed); }

  // An account that is in use from now on: the store is to know of it.
  void enroll(std::shared_ptr<Account> account) {
    const std::lock_guard lock(mutex_);
    enrolled_.push_back(std::move(account));
  }
  std::vector<std::shared_ptr<Account>> take_enrolled() {
    const std::lock_guard lock(mutex_);
    return std::exchange(enrolled_, {});
  }

 private:
  std::atomic<bool> up_{false};
  std::atomic<Nanos> settled_at_{0};
  std::atomic<Nanos> lost_at_{0};
  std::atomic<int64_t> instances_{1};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Account>> enrolled_;
};

}  // namespace sluice::governance
