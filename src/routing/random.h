// Chance for jitter: seeded, small, and no secret.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace sluice::routing {

// splitmix64. Every seed is a good one.
inline uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Anywhere from nothing to `most`, both included.
inline Nanos random_up_to(Nanos most, uint64_t& state) {
  if (most <= 0) return 0;
  return static_cast<Nanos>(next_random(state) % (static_cast<uint64_t>(most) + 1));
}

}  // namespace sluice::routing
