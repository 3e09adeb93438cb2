#include "telemetry/meters.h"

#include <algorithm>

#include "telemetry/metric_names.h"

namespace sluice::telemetry {
namespace {

constexpr std::string_view kOther = "other";
constexpr std::string_view kStream[] = {"false", "true"};
constexpr std::string_view kTokenTypes[] = {"input", "cached", "output", "reasoning"};
constexpr std::string_view kTries[] = {"first", "later"};
constexpr std::string_view kEnds[] = {"ok", "error", "cancelled"};

size_t end_of(Outcome outcome) {
  if (outcome == Outcome::Ok) return 0;
  return outcome == Outcome::ClientClosed ? 2 : 1;
}

std::string joined(std::string_view a, std::string_view b, char by) {
  std::string text(a);
  text += by;
  text += b;
  return text;
}

}  // namespace

std::string_view name_of(RequestResult result) {
  constexpr std::string_view kNames[] = {"ok", "fallback_ok", "error", "cancelled", "blocked"};
  return kNames[static_cast<size_t>(result)];
}

RequestResult result_of(const Record& record) {
  switch (record.outcome) {
    case Outcome::Ok:
      break;
    case Outcome::ClientClosed:
      return RequestResult::Cancelled;
    case Outcome::Unauthorized:
    case Outcome::Forbidden:
    case Outcome::RateLimited:
    case Outcome::BudgetExceeded:
      return RequestResult::Blocked;
    default:
      return RequestResult::Error;
  }
  if (record.attempts.size() < 2) return RequestResult::Ok;
  return record.attempts.front().target == record.attempts.back().target
             ? RequestResult::Ok
             : RequestResult::FallbackOk;
}

std::string_view name_of(Cause cause) {
  constexpr std::string_view kNames[] = {"rate_limit",   "overloaded", "timeout",
                                         "server_error", "network",    "auth",
                                         "rejected",     "bad_reply",  "cancelled"};
  return kNames[static_cast<size_t>(cause)];
}

Cause cause_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::UpstreamRateLimit:
      return Cause::RateLimit;
    case Outcome::UpstreamOverloaded:
    case Outcome::Overloaded:
    case Outcome::Draining:
    case Outcome::PoolTimeout:
      return Cause::Overloaded;
    case Outcome::ConnectTimeout:
    case Outcome::FirstByteTimeout:
    case Outcome::IdleTimeout:
    case Outcome::TotalTimeout:
      return Cause::Timeout;
    case Outcome::UpstreamError:
    case Outcome::IntermediaryError:
      return Cause::ServerError;
    case Outcome::DnsError:
    case Outcome::ConnectError:
    case Outcome::TlsError:
    case Outcome::UpstreamReset:
      return Cause::Network;
    case Outcome::UpstreamAuth:
      return Cause::Auth;
    case Outcome::ClientClosed:
      return Cause::Cancelled;
    case Outcome::UpstreamBadReply:
    case Outcome::Truncated:
    case Outcome::Bug:
      return Cause::BadReply;
    default:
      return Cause::Rejected;
  }
}

TokenCounts count_tokens(const chat::Usage& usage) {
  return {.input = usage.plain_input + usage.cache_write + usage.cache_write_1h + usage.audio_input,
          .cached = usage.cache_read,
          .output = usage.visible_output + usage.audio_output,
          .reasoning = usage.reasoning};
}

Meters::Meters(Registry& registry)
    : registry_(registry), overhead_(registry.histogram(metric::kOverhead, {"total"})) {
  other_ = &target(kOther, kOther, "");
}

const TargetMeters& Meters::target(std::string_view provider, std::string_view model,
                                   std::string_view alias, std::string_view vendor) {
  if (model == "*") model = kOther;
  const std::string key = joined(joined(provider, model, '\n'), joined(alias, vendor, '\n'), '\n');
  const std::lock_guard lock(mutex_);
  if (const auto known = by_key_.find(key); known != by_key_.end()) return *known->second;
  auto made = std::make_unique<TargetMeters>();
  made->provider_ = provider;
  made->model_ = model;
  made->alias_ = alias;
  made->vendor_ = vendor;
  resolve(*made);
  by_key_.emplace(key, made.get());
  by_name_.emplace(joined(provider, model, '/'), made.get());
  targets_.push_back(std::move(made));
  return *targets_.back();
}

void Meters::resolve(TargetMeters& t) {
  const std::string_view provider = t.provider_;
  const std::string_view model = t.model_;
  const std::string_view alias = t.alias_;
  for (size_t i = 0; i < kRequestResults; ++i) {
    const std::string_view outcome = name_of(static_cast<RequestResult>(i));
    for (size_t stream = 0; stream < 2; ++stream) {
      t.requests_[i][stream] =
          registry_.counter(metric::kRequests, {provider, model, alias, outcome, kStream[stream]});
    }
    t.duration_[i] = registry_.histogram(metric::kDuration, {provider, model, alias, outcome});
    t.first_token_[i] = registry_.histogram(metric::kFirstToken, {provider, model, outcome});
    t.token_gap_[i] = registry_.histogram(metric::kTokenGap, {provider, model, outcome});
  }
  for (size_t later = 0; later < 2; ++later) {
    for (size_t end = 0; end < 3; ++end) {
      t.upstream_[later][end] =
          registry_.histogram(metric::kUpstream, {provider, model, kTries[later], kEnds[end]});
    }
  }
  for (size_t i = 0; i < kCauses; ++i) {
    const std::string_view cause = name_of(static_cast<Cause>(i));
    t.errors_[i] = registry_.counter(metric::kErrors, {provider, cause});
    t.retries_[i] = registry_.counter(metric::kRetries, {provider, cause});
  }
  for (size_t i = 0; i < t.tokens_.size(); ++i) {
    t.tokens_[i] = registry_.counter(metric::kTokens, {model, kTokenTypes[i]});
  }
  t.cost_per_request_ = registry_.histogram(metric::kCostPerRequest, {provider, model});
  t.cost_ = registry_.counter(metric::kCost, {provider, model, alias});
  t.unpriced_ = registry_.counter(metric::kUnpriced, {provider, model});
  t.drift_ = registry_.counter(metric::kPriceDrift, {provider, model});
  t.attempts_ = registry_.counter(metric::kAttempts, {provider});
  t.in_flight_ = registry_.gauge(metric::kInFlight, {provider});
}

void Meters::start_from(const UsageBase& base) {
  const TargetMeters& t = target(base.provider, base.model, base.alias);
  t.requests_[static_cast<size_t>(base.result)][base.stream ? 1 : 0].add_shared(base.requests);
  t.unpriced_.add_shared(base.unpriced);
  t.cost_.add_shared(base.cost);
  t.tokens_[0].add_shared(base.tokens.input);
  t.tokens_[1].add_shared(base.tokens.cached);
  t.tokens_[2].add_shared(base.tokens.output);
  t.tokens_[3].add_shared(base.tokens.reasoning);
}

void Meters::count(unsigned lane, const Record& record, const TargetMeters& meters,
                   const Charge& charge) const {
  const RequestResult result = result_of(record);
  const auto index = static_cast<size_t>(result);
  meters.requests_[index][record.stream ? 1 : 0].add(lane);
  meters.duration_[index].observe(lane, record.duration_micros);
  overhead_.observe(lane, record.overhead_micros);
  if (record.stream) count_stream(lane, record, meters, result);

  const TokenCounts tokens = count_tokens(record.usage);
  if (tokens.input > 0) meters.tokens_[0].add(lane, tokens.input);
  if (tokens.cached > 0) meters.tokens_[1].add(lane, tokens.cached);
  if (tokens.output > 0) meters.tokens_[2].add(lane, tokens.output);
  if (tokens.reasoning > 0) meters.tokens_[3].add(lane, tokens.reasoning);

  if (!charge.cost) {
    meters.unpriced_.add(lane);
  } else if (charge.source != CostSource::None) {
    meters.cost_.add(lane, *charge.cost);
    meters.cost_per_request_.observe(lane, *charge.cost);
  }
  if ((charge.notes & kPriceDrift) != 0) meters.drift_.add(lane);
  if (!record.attempts.empty()) count_attempts(lane, record, meters);
}

void Meters::count_stream(unsigned lane, const Record& record, const TargetMeters& meters,
                          RequestResult result) const {
  if (!record.ttft_micros) return;
  const auto index = static_cast<size_t>(result);
  meters.first_token_[index].observe(lane, *record.ttft_micros);
  const int64_t after_first = record.usage.output() - 1;
  if (after_first < 1) return;
  const int64_t spent = std::max<int64_t>(record.duration_micros - *record.ttft_micros, 0);
  meters.token_gap_[index].observe(lane, spent / after_first);
}

void Meters::count_attempts(unsigned lane, const Record& record, const TargetMeters& meters) const {
  const Attempt* previous = nullptr;
  const Attempt* last = &record.attempts.back();
  for (const Attempt& attempt : record.attempts) {
    // The exchange's own meters are of the last attempt; earlier ones are looked up, which only
    // failures pay for.
    const TargetMeters& t = &attempt == last ? meters : named(attempt.target);
    t.attempts_.add(lane);
    t.upstream_[previous != nullptr ? 1 : 0][end_of(attempt.outcome)].observe(
        lane, attempt.duration_micros);
    if (attempt.outcome != Outcome::Ok) {
      t.errors_[static_cast<size_t>(cause_of(attempt.outcome))].add(lane);
    }
    if (previous != nullptr && previous->target == attempt.target) {
      t.retries_[static_cast<size_t>(cause_of(previous->outcome))].add(lane);
    } else if (previous != nullptr) {
      const TargetMeters& from = named(previous->target);
      registry_
          .counter(metric::kFallbacks,
                   {joined(from.provider_, from.model_, '/'), joined(t.provider_, t.model_, '/')})
          .add(lane);
    }
    previous = &attempt;
  }
}

const TargetMeters& Meters::named(std::string_view target) const {
  const std::lock_guard lock(mutex_);
  if (const auto known = by_name_.find(std::string(target)); known != by_name_.end()) {
    return *known->second;
  }
  // A model that only a provider's wildcard covers: the provider is known all the same.
  const auto open = by_name_.find(joined(target.substr(0, target.find('/')), kOther, '/'));
  return open == by_name_.end() ? *other_ : *open->second;
}

}  // namespace sluice::telemetry
