// Bodies out of their content codings, and which codings a client can read.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http1.h"

namespace sluice::gateway {

// `body` without the content coding its headers name; `storage` holds the result if it had one.
// Errors: `malformed` for what is not of the coding; above `limit` the same for a reply, TooLarge
// for a request.
Result<std::string_view> plain_body(const net::Headers& headers, std::string_view body,
                                    uint64_t limit, Outcome malformed, std::string& storage);

// Whether a client with this Accept-Encoding can read a reply in `coding` (RFC 9110 12.5.3).
bool accepts_coding(std::string_view accept_encoding, std::string_view coding);

}  // namespace sluice::gateway
