// Whether the caller's limits and budgets have room for a request, and what they hold for it until
// it has ended.
#pragma once

#include <string>

#include "base/result.h"
#include "telemetry/price.h"

namespace sluice::gateway {

class Exchange;

// Takes room for the request in every limit and budget it counts against, at the most it may cost.
// On the way a budget that is nearly used up may send it to a cheaper tier, or shorten its answer.
// Errors: RateLimited, BudgetExceeded; Forbidden for a model nobody knows the price of. `headers`
// gets the lines a refusal carries.
Result<void> admit(Exchange& exchange, std::string& headers);
// At the end: what was held is replaced by what was used.
void settle(Exchange& exchange, const telemetry::Charge& charge);

}  // namespace sluice::gateway
