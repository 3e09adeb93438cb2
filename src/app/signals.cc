#include "app/signals.h"

#include <initializer_list>
#include <sys/resource.h>

namespace sluice::app {

sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

int await_signal(const sigset_t& signals, timespec wait) {
  const int number = sigtimedwait(&signals, nullptr, &wait);
  return number < 0 ? 0 : number;
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace sluice::app
