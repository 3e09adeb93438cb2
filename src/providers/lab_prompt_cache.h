// The prompt cache as Anthropic keeps it: what a request marks with cache_control stays for five
// minutes or an hour, and counts as read in a later request that begins with the same. Bounded. May
// be used from several threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "providers/lab_request.h"

namespace sluice::providers {

// Tokens of one prompt.
struct LabCacheUse {
  int64_t read = 0;
  int64_t write = 0;     // for five minutes
  int64_t write_1h = 0;  // for an hour
};

class LabPromptCache {
 public:
  // Reads and writes for the marks in `parts`; without marks it does nothing. Caches of different
  // `owner`s are apart.
  LabCacheUse use(const std::vector<LabRequest::Part>& parts, uint64_t owner, Nanos now);
  void reset();

 private:
  struct Entry {
    Nanos expires = 0;
    Nanos lifetime = 0;
  };
  bool touch(uint64_t key, Nanos now);

  std::mutex lock_;
  std::unordered_map<uint64_t, Entry> entries_;
};

}  // namespace sluice::providers
