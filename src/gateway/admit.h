// Whether the caller's limits and budgets have room for a request, and what they hold for it until
// it has ended.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "governance/account.h"
#include "telemetry/ledger.h"
#include "telemetry/price.h"

namespace sluice::gateway {

class Exchange;

// Takes room for the request in every limit and budget it counts against, at the most it may cost.
// On the way a budget that is nearly used up may send it to a cheaper tier, or shorten its answer.
// Errors: RateLimited, BudgetExceeded; Forbidden for a model nobody knows the price of. `headers`
// gets the lines a refusal carries.
//
// Where Admission::lacks() somebody's part after it, nothing is decided yet: ask_others() is next.
Result<void> admit(Exchange& exchange, std::string& headers);
// Asks the other instances for room until there is some, or none. Errors as above.
Task<Result<void>> ask_others(Exchange& exchange, std::string& headers);
// At the end: what was held is replaced by what was used.
void settle(Exchange& exchange, const telemetry::Charge& charge);
// Writes to the log that a budget has passed a mark.
void note_crossing(const telemetry::Ledger& ledger, const governance::Crossing& crossing);

}  // namespace sluice::gateway
