// What OpenRouter adds to OpenAI's requests, and the strictness of its `provider` object, which
// knows no other member than those it lists.
#pragma once

#include "providers/lab_fields.h"
#include "providers/lab_request.h"

namespace sluice::providers {

// `models` (the order to fall back in), `route`, `provider`, `plugins`: in every dialect.
void read_lab_openrouter_routing(LabFields& fields, LabRequest& request);
// The same, and `transforms`, `reasoning` and the samplers of its own.
void read_lab_openrouter_extras(LabFields& fields, LabRequest& request);

}  // namespace sluice::providers
