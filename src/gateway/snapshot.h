// All that a configuration says about serving, in one immutable piece. An exchange keeps the
// snapshot it began with; a reload gives the loops a new one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/pins.h"
#include "providers/model_traits.h"
#include "providers/upstream.h"
#include "routing/retry.h"
#include "routing/retry_budget.h"
#include "routing/router.h"
#include "telemetry/meters.h"
#include "telemetry/price.h"

namespace sluice::gateway {

// What goes to a client of a stream while its upstream is silent.
enum class HeartbeatMode : uint8_t {
  Off,
  Comment,  // an SSE comment line, and no blank line: older clients take that for an empty event
  Chunk,    // an empty delta, for clients that choke on comments
};

// What happens to a field of the request that the target has no place for (acceptance TR-3).
enum class Unsupported : uint8_t { Drop, Refuse, Skip };

// What happens when a client leaves in the middle of a stream (acceptance DISC-1, DISC-2).
enum class Disconnect : uint8_t { Cancel, Drain };

struct StreamOptions {
  Nanos heartbeat = 15 * kSecond;
  HeartbeatMode heartbeat_mode = HeartbeatMode::Comment;
  uint32_t max_event = 1 << 20;  // bytes of one upstream event
  Disconnect disconnect = Disconnect::Cancel;
  Nanos drain_limit = 30 * kSecond;
  bool continues = false;  // every route's answers may be taken up by its next target
};

struct Snapshot {
  explicit Snapshot(routing::Router the_router) : router(std::move(the_router)) {}

  uint64_t revision = 1;
  routing::Router router;
  std::vector<std::unique_ptr<const providers::Upstream>>
      upstreams;  // by routing::Target::provider
  // By routing::Target::slot. The first slots stand for any model of a provider, one each.
  std::vector<const telemetry::TargetMeters*> meters;
  std::vector<providers::ModelTraits> traits;
  std::vector<std::shared_ptr<routing::Breaker>> breakers;

  routing::RetryOptions retry;
  std::vector<uint16_t> stands_in_for;  // by routing::Target::provider
  routing::RetryBudget* budget = nullptr;
  // Where prompts go that do not fit, or that a policy forbids.
  struct Rules {
    std::vector<routing::Target> on_context_overflow;
    std::vector<routing::Target> on_content_policy;
  };
  Rules rules;
  Rules local_rules;  // the same without targets that are not local
  Unsupported unsupported = Unsupported::Drop;
  Pins* pins = nullptr;  // outlives every snapshot, as the budget does
  StreamOptions stream;
  // What models without a price count as against budgets; null: they are refused to whoever has
  // one.
  std::unique_ptr<const telemetry::Price> ceiling;
  uint64_t max_body = 32 << 20;   // of a request, decompressed
  uint64_t max_reply = 64 << 20;  // of a buffered reply
};

// Models by the lists of their providers, beside those the configuration names: shown to clients,
// no more. Made anew when a list has come; shared by all loops.
struct ListedModels {
  struct Model {
    std::string name;  // as clients ask for it: "openrouter/openai/gpt-5-mini"
    std::string provider;
  };
  std::vector<Model> models;
};

}  // namespace sluice::gateway
