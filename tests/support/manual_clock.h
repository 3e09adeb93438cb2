// A clock that stands still until a test moves it.
#pragma once

#include "base/time.h"

namespace sluice::test {

class ManualClock final : public Clock {
 public:
  Nanos monotonic() const override {
    if (step_ != 0) now_ += step_;
    return now_;
  }
  int64_t wall_micros() const override { return wall_; }
  void advance(Nanos by) {
    now_ += by;
    wall_ += by / kMicrosecond;
  }
  // From now on each look at the clock takes so long.
  void set_step(Nanos step) { step_ = step; }
  void set_wall_micros(int64_t wall) { wall_ = wall; }

 private:
  mutable Nanos now_ = 1'000 * kSecond;
  Nanos step_ = 0;
  int64_t wall_ = 784'111'777'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT
};

}  // namespace sluice::test
