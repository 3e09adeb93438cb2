// What a request may come to before anybody has answered it.
#pragma once

#include "base/result.h"
#include "governance/account.h"
#include "wire/chat.h"

namespace sluice::gateway {

class Exchange;

// Whether it has output that costs something.
bool writes(const chat::Request& request);

// Tokens and cost at the dearest of the request's targets, those included that take it if its
// prompt does not fit. Targets without a price count nothing. Where a budget refuses, the output is
// all that the request or its target allows, or the model can write; elsewhere what
// `providers.*.max_output` takes for usual.
governance::Ask worst_case(Exchange& exchange, const governance::Demands& demands);

// Targets without a price are left out, if others are there (acceptance PRICE-2). Errors:
// Forbidden, where none has one.
Result<void> keep_priced(Exchange& exchange);

}  // namespace sluice::gateway
