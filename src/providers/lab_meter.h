// The lab's own bookkeeping: what it was asked, what it gave, what it would have charged. The third
// view beside the client's and the ledger's.
//
// requests = completed + refused + faulted + cancelled + in_flight, per model and in sum. Tokens
// and cost count what was really sent, also of replies that broke or were cancelled.
// May be used from several threads.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "providers/lab_completion.h"
#include "providers/lab_request_log.h"

namespace sluice::providers {

class LabMeter {
 public:
  struct Delivered {
    LabUsage usage;
    LabPrice price;
    int64_t texts = 0;   // embedded by this call
    int64_t tokens = 0;  // of content, in a stream
    int64_t events = 0;
  };

  void began(std::string_view model);
  void ended(std::string_view model, std::string_view request_id, LabEnd end,
             const Delivered& delivered);
  // The lab cut a connection on purpose.
  void cut_connection();

  std::string json() const;
  // Sets everything but in_flight to zero.
  void reset();

 private:
  struct Counts {
    int64_t requests = 0;
    int64_t completed = 0;
    int64_t refused = 0;
    int64_t faulted = 0;
    int64_t cancelled = 0;
    int64_t in_flight = 0;
    int64_t prompt = 0;
    int64_t cached = 0;
    int64_t cache_write = 0;
    int64_t completion = 0;
    int64_t reasoning = 0;
    int64_t cost_nanos = 0;
    int64_t texts = 0;       // embedded
    int64_t most_texts = 0;  // by one call
  };
  struct Cancelled {
    std::string model;
    std::string request_id;
    int64_t tokens = 0;
    int64_t events = 0;
  };
  Counts& counts_of(std::string_view model);
  static void append(std::string& out, const Counts& counts);

  mutable std::mutex lock_;
  std::map<std::string, Counts, std::less<>> by_model_;
  Counts total_;
  std::deque<Cancelled> cancelled_;  // the newest, bounded
  int64_t connections_cut_ = 0;
};

}  // namespace sluice::providers
