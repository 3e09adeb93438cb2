// How an exchange or an attempt ended. One closed list is the label of log, metric, ledger row and
// HTTP status.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class Outcome : uint8_t {
  Ok,
  // The client's doing.
  BadRequest,        // malformed or unsupported request
  Unauthorized,      // no key, or a key we do not know
  Forbidden,         // a known key without the right
  RateLimited,       // over a limit per minute, or of parallel requests, of ours
  BudgetExceeded,    // a budget of the caller's is used up
  NotFound,          // no such route
  ModelNotFound,     // no such model, tier or alias
  MethodNotAllowed,  // the route exists, the method does not
  TooLarge,          // body over the limit
  HeadTooLarge,      // header section over a limit
  RequestTimeout,    // head or body came too slowly
  ClientClosed,      // the client went away
  // Ours.
  Overloaded,  // no room: connection, queue or memory limit
  Draining,    // shutting down
  Bug,         // an exception nobody expected
  // The upstream's doing.
  DnsError,
  ConnectError,
  ConnectTimeout,
  TlsError,
  PoolTimeout,         // no connection to it became free in time
  UpstreamReset,       // closed or reset before the reply was whole
  FirstByteTimeout,    // silent before the first content
  IdleTimeout,         // silent between two events
  TotalTimeout,        // the whole exchange took too long
  UpstreamAuth,        // our provider key was refused: 401, 402, 403
  Unsupported,         // this target cannot do what the request asks for
  IntermediaryError,   // a gateway between us and the model failed, not the model
  UpstreamRejected,    // 4xx that speaks of the request itself
  ContextOverflow,     // the prompt does not fit the model's context window
  ContentPolicy,       // the provider's content policy forbids prompt or answer
  UpstreamRateLimit,   // 429
  UpstreamOverloaded,  // 503, 529, or an overloaded error inside a 200
  UpstreamError,       // other 5xx, or an error object inside a 200
  UpstreamBadReply,    // unreadable: HTML, garbage, broken framing
  Truncated,           // the stream ended without its terminal event
};

inline constexpr int kOutcomeCount = static_cast<int>(Outcome::Truncated) + 1;

// The name in logs, metrics and the ledger: "upstream_rate_limit".
std::string_view name_of(Outcome outcome);

// Inverse of name_of; Outcome::Bug for a name that is none.
Outcome outcome_named(std::string_view name);

// The status a client sees when this ends its exchange before any byte of the reply was sent.
// ClientClosed is 499, as nginx has it: nobody is there to read it, but the ledger row has a
// number.
int http_status_of(Outcome outcome);

// True for what the upstream did or failed to do: such a failure may be retried elsewhere.
constexpr bool is_upstream_failure(Outcome outcome) {
  return outcome >= Outcome::DnsError;
}

// True if the upstream was well and found fault with the request: the same everywhere, or for a
// rule of its own to decide.
constexpr bool is_about_the_request(Outcome outcome) {
  return outcome == Outcome::UpstreamRejected || outcome == Outcome::ContextOverflow ||
         outcome == Outcome::ContentPolicy;
}

}  // namespace sluice
