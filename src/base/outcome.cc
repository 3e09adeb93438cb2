#include "base/outcome.h"

#include <array>

namespace sluice {
namespace {

struct Row {
  Outcome outcome;
  std::string_view name;
  int status;
};

constexpr std::array<Row, kOutcomeCount> kRows{{
    {Outcome::Ok, "ok", 200},
    {Outcome::BadRequest, "bad_request", 400},
    {Outcome::Unauthorized, "unauthorized", 401},
    {Outcome::Forbidden, "forbidden", 403},
    {Outcome::RateLimited, "rate_limited", 429},
    {Outcome::BudgetExceeded, "budget_exceeded", 402},
    {Outcome::NotFound, "not_found", 404},
    {Outcome::ModelNotFound, "model_not_found", 400},
    {Outcome::MethodNotAllowed, "method_not_allowed", 405},
    {Outcome::TooLarge, "too_large", 413},
    {Outcome::HeadTooLarge, "head_too_large", 431},
    {Outcome::RequestTimeout, "request_timeout", 408},
    {Outcome::ClientClosed, "client_closed", 499},
    {Outcome::Overloaded, "overloaded", 503},
    {Outcome::Draining, "draining", 503},
    {Outcome::Bug, "bug", 500},
    {Outcome::DnsError, "dns_error", 502},
    {Outcome::ConnectError, "connect_error", 502},
    {Outcome::ConnectTimeout, "connect_timeout", 504},
    {Outcome::TlsError, "tls_error", 502},
    {Outcome::PoolTimeout, "pool_timeout", 503},
    {Outcome::UpstreamReset, "upstream_reset", 502},
    {Outcome::FirstByteTimeout, "first_byte_timeout", 504},
    {Outcome::IdleTimeout, "idle_timeout", 504},
    {Outcome::TotalTimeout, "total_timeout", 504},
    {Outcome::UpstreamAuth, "upstream_auth", 502},
    {Outcome::Unsupported, "unsupported", 400},
    {Outcome::IntermediaryError, "intermediary_error", 502},
    {Outcome::UpstreamRejected, "upstream_rejected", 400},
    {Outcome::ContextOverflow, "context_overflow", 400},
    {Outcome::ContentPolicy, "content_policy", 400},
    {Outcome::UpstreamRateLimit, "upstream_rate_limit", 429},
    {Outcome::UpstreamOverloaded, "upstream_overloaded", 503},
    {Outcome::UpstreamError, "upstream_error", 502},
    {Outcome::UpstreamBadReply, "upstream_bad_reply", 502},
    {Outcome::Truncated, "truncated", 502},
}};

constexpr bool rows_are_in_order() {
  for (int i = 0; i < kOutcomeCount; ++i) {
    if (static_cast<int>(kRows[i].outcome) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::string_view name_of(Outcome outcome) {
  return kRows[static_cast<size_t>(outcome)].name;
}

int http_status_of(Outcome outcome) {
  return kRows[static_cast<size_t>(outcome)].status;
}

Outcome outcome_named(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.outcome;
  }
  return Outcome::Bug;
}

}  // namespace sluice
