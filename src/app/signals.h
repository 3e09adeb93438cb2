// The signals a serving process is told with, and the few process-wide settings all commands share.
#pragma once

#include <signal.h>
#include <time.h>

namespace sluice::app {

// SIGTERM, SIGINT and SIGHUP, blocked in this thread and all it makes; SIGPIPE ignored. Call before
// the first thread is made.
sigset_t block_signals();

// Waits for one of `signals`, at most as long as `wait`; 0 if none came.
int await_signal(const sigset_t& signals, timespec wait);

constexpr bool asks_to_stop(int signal) {
  return signal == SIGTERM || signal == SIGINT;
}

// The kernel's soft limit of open files is 1,024 on most systems, which is no limit for a proxy.
void raise_file_limit();

}  // namespace sluice::app
