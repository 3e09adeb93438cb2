#include "routing/failure_class.h"

#include <array>

namespace sluice::routing {
namespace {

constexpr bool kSame = true, kNotSame = false;
constexpr bool kNeverSent = true, kMaybeSent = false;
constexpr bool kWorked = true, kIdle = false;

// Weights: 7 the provider's own words about the request, 6 rate limit, 5 overloaded, 4 server
// error, 3 reset and timeout, 2 our key, 1 network, 0 nothing to choose.
//
// A 429 and a 503 did no work at the provider, yet they are not free: see retry_budget.h. A rate
// limit counts as a failure: a target that turns away half of the calls is the wrong first choice,
// while the last one left is called all the same (RET-7). A full pool is our own limit and says
// nothing about the target.
constexpr std::array<FailureClass, kOutcomeCount> kClasses{{
    {Outcome::Ok, Onward::Stop, kNotSame, kMaybeSent, kWorked, HealthMark::Well, 0},
    {Outcome::BadRequest, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::Unauthorized, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::Forbidden, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::RateLimited, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::BudgetExceeded, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::NotFound, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::ModelNotFound, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::MethodNotAllowed, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::TooLarge, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::HeadTooLarge, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::RequestTimeout, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::ClientClosed, Onward::Stop, kNotSame, kMaybeSent, kWorked, HealthMark::Nothing, 0},
    {Outcome::Overloaded, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::Draining, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::Bug, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Nothing, 0},
    {Outcome::DnsError, Onward::Elsewhere, kSame, kNeverSent, kIdle, HealthMark::Failed, 1},
    {Outcome::ConnectError, Onward::Elsewhere, kSame, kNeverSent, kIdle, HealthMark::Failed, 1},
    {Outcome::ConnectTimeout, Onward::Elsewhere, kSame, kNeverSent, kIdle, HealthMark::Failed, 1},
    {Outcome::TlsError, Onward::Elsewhere, kNotSame, kNeverSent, kIdle, HealthMark::Broken, 1},
    {Outcome::PoolTimeout, Onward::Elsewhere, kNotSame, kNeverSent, kIdle, HealthMark::Nothing, 1},
    {Outcome::UpstreamReset, Onward::Elsewhere, kSame, kMaybeSent, kWorked, HealthMark::Failed, 3},
    {Outcome::FirstByteTimeout, Onward::Elsewhere, kSame, kMaybeSent, kWorked, HealthMark::Failed,
     3},
    {Outcome::IdleTimeout, Onward::Elsewhere, kSame, kMaybeSent, kWorked, HealthMark::Failed, 3},
    {Outcome::TotalTimeout, Onward::Stop, kNotSame, kMaybeSent, kWorked, HealthMark::Nothing, 0},
    {Outcome::UpstreamAuth, Onward::Elsewhere, kNotSame, kMaybeSent, kIdle, HealthMark::Broken, 2},
    {Outcome::Unsupported, Onward::Elsewhere, kNotSame, kNeverSent, kIdle, HealthMark::Nothing, 7},
    {Outcome::IntermediaryError, Onward::Elsewhere, kSame, kMaybeSent, kIdle, HealthMark::Failed,
     4},
    {Outcome::UpstreamRejected, Onward::Stop, kNotSame, kMaybeSent, kIdle, HealthMark::Well, 7},
    {Outcome::ContextOverflow, Onward::OverflowRule, kNotSame, kMaybeSent, kIdle, HealthMark::Well,
     7},
    {Outcome::ContentPolicy, Onward::PolicyRule, kNotSame, kMaybeSent, kIdle, HealthMark::Well, 7},
    {Outcome::UpstreamRateLimit, Onward::Elsewhere, kSame, kMaybeSent, kIdle, HealthMark::Failed,
     6},
    {Outcome::UpstreamOverloaded, Onward::Elsewhere, kSame, kMaybeSent, kIdle, HealthMark::Failed,
     5},
    {Outcome::UpstreamError, Onward::Elsewhere, kSame, kMaybeSent, kIdle, HealthMark::Failed, 4},
    {Outcome::UpstreamBadReply, Onward::Elsewhere, kSame, kMaybeSent, kWorked, HealthMark::Failed,
     4},
    {Outcome::Truncated, Onward::Elsewhere, kSame, kMaybeSent, kWorked, HealthMark::Failed, 4},
}};

constexpr bool rows_are_in_order() {
  for (int i = 0; i < kOutcomeCount; ++i) {
    if (static_cast<int>(kClasses[i].outcome) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

const FailureClass& class_of(Outcome outcome) {
  return kClasses[static_cast<size_t>(outcome)];
}

bool may_pass(const Failure& failure) {
  return class_of(failure.outcome).same_target && !failure.lasting;
}

bool is_free(const Failure& failure) {
  return class_of(failure.outcome).never_sent || failure.unsent;
}

bool may_be_charged(const Failure& failure) {
  return class_of(failure.outcome).may_have_worked && failure.status < 300 && !is_free(failure);
}

bool is_sick_way(const Failure& failure) {
  if (failure.outcome == Outcome::Unsupported) return false;  // nobody has gone that way
  return is_free(failure) || failure.outcome == Outcome::IntermediaryError;
}

bool is_more_useful(Outcome later, Outcome earlier) {
  return class_of(later).weight >= class_of(earlier).weight;
}

}  // namespace sluice::routing
