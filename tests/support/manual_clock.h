// A clock that stands still until a test moves it.
#pragma once

#include "base/time.h"

namespace sluice::test {

class ManualClock final : public Clock {
 public:
  Nanos monotonic() const override { return now_; }
  int64_t wall_micros() const override { return wall_; }
  void advance(Nanos by) {
    now_ += by;
    wall_ += by / kMicrosecond;
  }
  void set_wall_micros(int64_t wall) { wall_ = wall; }

 private:
  Nanos now_ = 1'000 * kSecond;
  int64_t wall_ = 784'111'777'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT
};

}  // namespace sluice::test
