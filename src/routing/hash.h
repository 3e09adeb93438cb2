// Hashes that are the same in every process and on every machine: sticky choices depend on them,
// so they never change. Not for secrets, not against an adversary.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::routing {

// splitmix64's finalizer: every bit of the input moves half of the bits of the result.
constexpr uint64_t scrambled(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

constexpr uint64_t mixed(uint64_t a, uint64_t b) {
  return scrambled(scrambled(a + 0x9e3779b97f4a7c15u) ^ b);
}

// FNV-1a.
constexpr uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// Evenly between 0 and 1, never either.
constexpr double unit_interval(uint64_t hash) {
  return (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;
}

}  // namespace sluice::routing
