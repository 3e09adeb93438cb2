#include "base/time.h"

#include <time.h>

namespace sluice {
namespace {

int64_t read_nanos(clockid_t clock) {
  timespec ts;
  clock_gettime(clock, &ts);
  return static_cast<int64_t>(ts.tv_sec) * kSecond + ts.tv_nsec;
}

}  // namespace

Nanos SystemClock::monotonic() const {
  return read_nanos(CLOCK_MONOTONIC);
}
int64_t SystemClock::wall_micros() const {
  return read_nanos(CLOCK_REALTIME) / kMicrosecond;
}

}  // namespace sluice
