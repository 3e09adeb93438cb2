// What the lab remembers between requests: prompts it has seen, calls that were to fail, and the
// last request as it arrived. Bounded. May be used from several threads.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "net/http1.h"
#include "providers/lab_request.h"

namespace sluice::providers {

class LabMemory {
 public:
  // Tokens at the start of the prompt that were there before, and remembers this prompt.
  int64_t seen_tokens(const std::vector<LabRequest::Part>& parts);
  // How many calls with this key came before this one.
  int64_t earlier_calls(std::string_view key);
  // For GET /lab/last. Of a credential only its last four characters are kept.
  void keep_last(const net::RequestHead& head, std::string_view body);
  // Why the last request was refused, where its caller is not told; empty: nothing.
  void note_last(std::string_view reason);
  std::string last_json() const;
  void reset();

 private:
  mutable std::mutex lock_;
  std::unordered_set<uint64_t> prompts_;
  std::deque<uint64_t> prompts_by_age_;
  std::map<std::string, int64_t, std::less<>> calls_;
  std::string last_ = "{}\n";
};

}  // namespace sluice::providers
