// What an upstream's refusal means: one classification for every dialect, from status, error words
// and wording to Outcome, and when to come back (acceptance RET-1..5, RET-14, TR-2, FB-10).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "base/time.h"
#include "net/http1.h"
#include "providers/error_body.h"
#include "providers/kind.h"
#include "providers/overflow.h"
#include "providers/rate_limit.h"
#include "providers/wanted_field.h"

namespace sluice::providers {

struct UpstreamFailure {
  Outcome outcome = Outcome::UpstreamError;
  // What the upstream asked for: its header, else the reset of its limits, else its words.
  std::optional<Nanos> retry_after;
  // Asking again will not help before `retry_after`, if that is known, or before a person acts:
  // quota used up, key refused.
  bool lasting = false;
  bool blames_key = false;  // the key was refused or is spent: KeyRing::refused()
  std::string message;      // the upstream's own words; empty if it had none
  std::string code;         // the upstream's own word for it, numbers as text; empty likewise
  // The envelope of the body. One in the client's own dialect may be shown to it, scrubbed.
  ErrorShape shape = ErrorShape::None;
  std::optional<Overflow> overflow;  // with ContextOverflow
  std::optional<WantedField> wanted;
};

// For any reply that is an error: a status that is not 2xx, or an error object inside a 2xx.
// `wall_micros` is now, for dates.
UpstreamFailure classify(Kind kind, int status, const net::Headers& headers, std::string_view body,
                         int64_t wall_micros);

}  // namespace sluice::providers
