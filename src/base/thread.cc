#include "base/thread.h"

#include <pthread.h>
#include <signal.h>
#include <utility>

namespace sluice {
namespace {

constexpr size_t kLongestName = 15;  // what the kernel keeps

}  // namespace

NamedThread::NamedThread(std::string name, std::function<void()> body)
    : thread_([name = std::move(name), body = std::move(body)] {
        pthread_setname_np(pthread_self(), name.substr(0, kLongestName).c_str());
        // Signals belong to the loop that waits for them, never to a background thread.
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        body();
      }) {}

NamedThread& NamedThread::operator=(NamedThread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void NamedThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace sluice
