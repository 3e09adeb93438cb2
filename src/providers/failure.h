// What an upstream's refusal means: one table from HTTP status and error code to Outcome, and when
// to come back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "base/time.h"
#include "net/http1.h"

namespace sluice::providers {

struct UpstreamFailure {
  Outcome outcome;
  std::optional<Nanos> retry_after;
  bool lasting = false;  // asking again will not help: quota used up, key refused
  std::string message;   // the upstream's own words; empty if it had none
  bool has_error_object =
      false;  // the body is {"error": {...}} and may be shown to the client as it is
};

// For any reply whose status is not 2xx. `wall_micros` is now, for dates in Retry-After.
UpstreamFailure classify(int status, const net::Headers& headers, std::string_view body,
                         int64_t wall_micros);

// `retry-after-ms`, or Retry-After as seconds or as an HTTP date; garbage counts as absent, the
// past as zero.
std::optional<Nanos> parse_retry_after(const net::Headers& headers, int64_t wall_micros);

}  // namespace sluice::providers
