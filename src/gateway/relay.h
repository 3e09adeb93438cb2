// A streamed reply on its way from an upstream to the client.
#pragma once

#include "gateway/attempt.h"

namespace sluice::gateway {

// Holds everything back until the first content, so that a failure before it leaves the client
// untouched (FB-1, FB-8); from then on the client gets each event as it comes, and a failure
// becomes its last event (FB-3).
Task<Answered> relay(Exchange& exchange, const Way& way, routing::AttemptPlan& plan, Heart& heart,
                     net::CallReply reply, Nanos began);

}  // namespace sluice::gateway
