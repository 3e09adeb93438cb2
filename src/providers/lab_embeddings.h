// Embeddings: unit vectors decided by the input, so that equal inputs are equal and others are not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "providers/lab_completion.h"

namespace sluice::providers {

std::vector<float> lab_embedding(uint64_t hash, int64_t dimensions);
// Requires: request.endpoint is Embeddings and model.dimensions > 0.
std::string lab_embeddings_body(const LabRequest& request, const LabModel& model, uint64_t seed);

}  // namespace sluice::providers
