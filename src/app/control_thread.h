// The one thread that changes what is in force: calls of the admin API and reloads of the
// configuration are carried out here, one after another, so that none ever works from what another
// is about to replace. It may wait for disks and for loops; no loop ever waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "base/thread.h"

namespace sluice::app {

class ControlThread {
 public:
  // Work that waits beyond this is refused: an administrator who is that fast is a fault.
  static constexpr size_t kMostWaiting = 1000;

  ControlThread() = default;
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;
  ~ControlThread() { stop(); }

  // What was posted before waits until then.
  void start();
  // False: it was stopped, or too much waits. Any thread.
  bool post(std::function<void()> work);
  // Before all that waits, however much that is: with a store that is locked each piece of it takes
  // a second.
  bool post_first(std::function<void()> work);
  // The same, and returns when it is done. Requires: started, not stopped, and not called from the
  // thread.
  void run(const std::function<void()>& work);
  // Does what was posted, then ends. Without start() nothing is done.
  void stop();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  NamedThread thread_;
};

}  // namespace sluice::app
