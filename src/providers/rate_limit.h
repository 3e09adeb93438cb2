// When an upstream says to come back: the many ways of one hint.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "net/http1.h"

namespace sluice::providers {

// Longer hints say no more than "not in this exchange".
inline constexpr Nanos kLongestHint = Nanos{365} * 86400 * kSecond;

// `retry-after-ms`, `x-ms-retry-after-ms`, or Retry-After as seconds or as an HTTP date; garbage
// counts as absent, the past as zero. `wall_micros`: now.
std::optional<Nanos> parse_retry_after(const net::Headers& headers, int64_t wall_micros);

// When the limit that was hit is whole again, from the fields that report limits:
// x-ratelimit-reset-requests and -tokens ("6m0s", "120ms"), anthropic-ratelimit-*-reset
// (RFC 3339), x-ratelimit-reset (seconds, or milliseconds, since 1970 or from now). The latest of
// those whose `remaining` is 0 or not told.
std::optional<Nanos> parse_limit_reset(const net::Headers& headers, int64_t wall_micros);

// "Please try again in 6m0s", "regain access on 2026-12-01 at 00:00 UTC": a hint in words.
std::optional<Nanos> parse_spoken_reset(std::string_view message, int64_t wall_micros);

// "1s", "6m0s", "120ms", "1h2m3.5s"; nothing for anything else.
std::optional<Nanos> parse_duration(std::string_view text);
// Microseconds since 1970 of "2026-11-23T08:51:00Z", with fraction and offset as RFC 3339 allows.
std::optional<int64_t> parse_rfc3339(std::string_view text);

}  // namespace sluice::providers
