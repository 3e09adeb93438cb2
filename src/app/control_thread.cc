#include "app/control_thread.h"

#include <latch>
#include <utility>

namespace sluice::app {

void ControlThread::start() {
  thread_ = NamedThread("control", [this] { loop(); });
}

bool ControlThread::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

bool ControlThread::post_first(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    waiting_.push_front(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void ControlThread::run(const std::function<void()>& work) {
  std::latch done(1);
  const bool taken = post_first([&] {
    work();
    done.count_down();
  });
  if (taken) done.wait();
}

void ControlThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ControlThread::loop() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace sluice::app
