// What a request may come to before anybody has answered it.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "governance/account.h"
#include "wire/chat.h"

namespace sluice::gateway {

class Exchange;

// Whether it has output that costs something.
bool writes(const chat::Request& request);

// How the tokens of a prompt are counted. Bytes: a fourth of the body's, in no time; there are
// never more than four times as many, as each takes a byte of the body at least.
enum class PromptCount : uint8_t { Bytes, Tokens };
inline constexpr int64_t kBytesMayBe = 4;

// Tokens and cost at the dearest of the request's targets, those included that take it if its
// prompt does not fit. Targets without a price count nothing. Where a budget refuses, the output is
// all that the request or its target allows, or the model can write; elsewhere what
// `providers.*.max_output` takes for usual.
governance::Ask worst_case(Exchange& exchange, const governance::Demands& demands,
                           PromptCount how = PromptCount::Tokens);

// Targets without a price are left out, if others are there (acceptance PRICE-2). Errors:
// Forbidden, where none has one.
Result<void> keep_priced(Exchange& exchange);

}  // namespace sluice::gateway
