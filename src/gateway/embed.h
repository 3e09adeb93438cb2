// Embeddings at a target that has its own API for them (Snowflake's inference:embed). Requests to
// one model that come at the same time, on one loop, go up as one call; order, errors and usage
// are each caller's own.
//
// The call belongs to the loop, not to any caller: one that leaves takes nothing from the others.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "gateway/attempt.h"

namespace sluice::gateway {

struct EmbedBatch;

// The batches of one loop that still take callers, by upstream, model and key.
class EmbedBatches {
 public:
  std::map<std::string, std::shared_ptr<EmbedBatch>, std::less<>> open;
};

// Joins a batch and waits for its part of the answer. Null: the client has been answered.
Task<Answered> embed(Exchange& exchange, const Way& way, routing::AttemptPlan& plan);

}  // namespace sluice::gateway
