// What a reply says of its caller's limits and budgets.
#pragma once

#include <string>

#include "providers/reply_headers.h"

namespace sluice::gateway {

class Exchange;

// Of a caller that has limits or budgets: x-ratelimit-..., and for Anthropic's clients
// anthropic-ratelimit-... too; x-sluice-budget... .
void append_limits(const Exchange& exchange, std::string& headers);
// Those take the place of what an upstream says of its own.
providers::PassLimits pass_limits(const Exchange& exchange);

}  // namespace sluice::gateway
