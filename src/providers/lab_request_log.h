// One line per finished request, so that the client's, the ledger's and the lab's views can be
// compared one by one. The newest, bounded. May be used from several threads.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "providers/lab_completion.h"

namespace sluice::providers {

// How one request ended.
enum class LabEnd : uint8_t {
  Completed,
  Refused,    // 4xx of the lab's own judgement
  Faulted,    // a fault that was asked for cut or replaced the reply
  Cancelled,  // the client went away
};

struct LabRecord {
  std::string_view face;   // lives as long as the program
  std::string caller_id;   // x-request-id as it came; may be empty
  std::string request_id;  // the lab's own
  std::string model;
  LabEnd end = LabEnd::Cancelled;
  LabUsage usage;  // what was really sent
  int64_t cost_nanos = 0;
};

class LabRequestLog {
 public:
  void add(LabRecord record);
  // Records after number `since`, a JSON object on each line, the oldest first, at most kPage: read
  // on from the `seq` of the last.
  std::string lines(uint64_t since) const;
  void reset();

  static constexpr size_t kKept = 200'000;
  static constexpr size_t kPage = 10'000;

 private:
  mutable std::mutex lock_;
  std::deque<LabRecord> records_;
  uint64_t last_seq_ = 0;
};

}  // namespace sluice::providers
