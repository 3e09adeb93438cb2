// The lab: a fake provider of the OpenAI dialect, fast and deterministic, with every fault a
// provider can show on demand (lab_faults.h) and a meter of its own (lab_meter.h). Every reply says
// in its system_fingerprint that no model was asked. docs/lab.md is its manual.
//
// A Lab is the Handler of one loop; several may share a LabState, from several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <simdjson.h>
#include <string>
#include <string_view>

#include "net/server.h"
#include "providers/lab_memory.h"
#include "providers/lab_meter.h"

namespace sluice::providers {

struct LabState {
  LabMeter meter;
  LabMemory memory;
  std::atomic<uint64_t> requests{0};
};

class Lab final : public net::Handler {
 public:
  // `state` must outlive the lab. The same seed gives the same replies.
  explicit Lab(LabState& state, uint64_t seed = 0) : state_(state), seed_(seed) {}

  Task<void> handle(net::ServerExchange& exchange) override;
  std::string refuse(Outcome outcome, std::string_view reason) override;

 private:
  Task<void> get(net::ServerExchange& exchange, std::string_view path);
  Task<void> reply_error(net::ServerExchange& exchange, std::string_view headers, LabError error);

  LabState& state_;
  const uint64_t seed_;
  simdjson::dom::parser parser_;
};

}  // namespace sluice::providers
