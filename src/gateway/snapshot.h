// All that a configuration says about serving, in one immutable piece. An exchange keeps the
// snapshot it began with; a reload gives the loops a new one.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "providers/upstream.h"
#include "routing/retry.h"
#include "routing/router.h"
#include "telemetry/meters.h"

namespace sluice::gateway {

// What goes to a client of a stream while its upstream is silent.
enum class HeartbeatMode : uint8_t {
  Off,
  Comment,  // an SSE comment line, and no blank line: older clients take that for an empty event
  Chunk,    // an empty delta, for clients that choke on comments
};

struct StreamOptions {
  Nanos heartbeat = 15 * kSecond;
  HeartbeatMode heartbeat_mode = HeartbeatMode::Comment;
  uint32_t max_event = 1 << 20;  // bytes of one upstream event
};

struct Snapshot {
  explicit Snapshot(routing::Router the_router) : router(std::move(the_router)) {}

  uint64_t revision = 1;
  routing::Router router;
  std::vector<std::unique_ptr<const providers::Upstream>>
      upstreams;                                       // by routing::Target::provider
  std::vector<const telemetry::TargetMeters*> meters;  // by routing::Target::slot
  routing::RetryOptions retry;
  StreamOptions stream;
  uint64_t max_body = 32 << 20;   // of a request, decompressed
  uint64_t max_reply = 64 << 20;  // of a buffered reply
};

}  // namespace sluice::gateway
