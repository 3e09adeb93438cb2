// What the clients of an endpoint speak: how their requests are read and how they are told of
// errors. One table by endpoint; what a target speaks is in translation.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"

namespace sluice::gateway {

// The Request borrows `body`. Errors name the field.
Result<chat::Request> decode_request(chat::Endpoint endpoint, std::string_view body);

// The status an error has in this dialect.
int status_for(chat::Endpoint endpoint, Outcome outcome);
// The whole body of an error reply.
std::string error_body(chat::Endpoint endpoint, const Error& error, std::string_view request_id);
// The last event of a stream that failed after it had begun. `sequence`: what the dialect of
// Responses numbers it.
std::string error_event(chat::Endpoint endpoint, const Error& error, std::string_view request_id,
                        int64_t sequence);

}  // namespace sluice::gateway
