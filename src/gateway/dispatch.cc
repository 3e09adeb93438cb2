#include "gateway/dispatch.h"

#include <algorithm>
#include <utility>

#include "gateway/admit.h"
#include "gateway/attempt.h"
#include "gateway/embed.h"
#include "gateway/routing_facts.h"
#include "gateway/way.h"

namespace sluice::gateway {
namespace {

// Whether the provider is, or may be, paid for an attempt that gave the client nothing.
bool is_due(const AttemptFailure& failure) {
  return failure.usage_source != chat::UsageSource::None ||
         routing::may_be_charged(failure.failure);
}

// What dispatch() calls once is not inlined: its locals would become a part of the frame, and so of
// every open stream.
[[gnu::noinline]] void note_attempt(Exchange& exchange, const Way& way, Nanos began,
                                    const Answered& failure) {
  telemetry::Attempt attempt;
  attempt.target = name_of(way);
  const Nanos ended = exchange.now();
  if (!failure) exchange.set_ended_at(ended);
  attempt.duration_micros = (ended - began) / kMicrosecond;
  attempt.outcome = failure ? failure->failure.outcome : exchange.record.outcome;
  attempt.status = failure ? failure->failure.status : exchange.record.status;
  telemetry::Record& record = exchange.record;
  if (failure && record.generates && !record.delivered && is_due(*failure)) {
    attempt.spent = exchange.shared.ledger.spent_by(record, failure->usage, failure->usage_source);
  }
  record.attempts.push_back(std::move(attempt));
}

// Counts the request among those an upstream is working on, for as long as it lives.
class InFlight {
 public:
  InFlight(const telemetry::TargetMeters& meters, unsigned lane) : meters_(meters), lane_(lane) {
    meters_.enter(lane_);
  }
  ~InFlight() { meters_.leave(lane_); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  const telemetry::TargetMeters& meters_;
  const unsigned lane_;
};

// Where one exchange stands between its attempts.
struct Standing {
  Standing(Exchange& exchange, const routing::RouteTargets& targets,
           const routing::PlanContext& context)
      : plan(targets, context, exchange.until().deadline(), exchange.shared.ids.random()) {}

  routing::AttemptPlan plan;
  Answered told;  // the failure the client will hear of, and whose it is
  const routing::Target* told_target = nullptr;
  const routing::Target* worst_target = nullptr;
  providers::KeyRing::Tried tried = 0;  // keys of the current target
  bool resent = false;                  // the current target has got the request in other words
};

routing::RouteTargets targets_of(const Exchange& exchange) {
  const std::vector<routing::Target>& targets = exchange.route->targets;
  if (exchange.stored != nullptr) return {.targets = targets, .fallback = false};
  const Snapshot::Rules& rules = rules_of(exchange);
  return {.targets = targets,
          .on_context_overflow = rules.on_context_overflow,
          .on_content_policy = rules.on_content_policy,
          .fallback = exchange.route->fallback && exchange.wishes().fallback};
}

routing::PlanContext context_of(const Snapshot& snapshot) {
  return {.options = snapshot.retry,
          .breakers = snapshot.breakers,
          .stands_in_for = snapshot.stands_in_for,
          .budget = snapshot.budget};
}

// Tells the client of the failure that says most: in the upstream's own words where those are about
// the request or its limits, in ours where they are about the upstream (its status would look like
// the client's own fault: 401, 404).
[[gnu::noinline]] Task<void> give_up(Exchange& exchange, Standing& standing) {
  AttemptFailure& failure = *standing.told;
  const Outcome outcome = failure.failure.outcome;
  const bool own_words = !failure.body.empty() && !exchange.http.streaming() &&
                         (outcome == Outcome::UpstreamRateLimit || is_about_the_request(outcome));
  if (!own_words) {
    const Error error(outcome, std::move(failure.message), std::move(failure.param));
    std::string headers;
    if (outcome == Outcome::UpstreamRateLimit || outcome == Outcome::UpstreamOverloaded)
      headers = std::move(failure.headers);
    co_await exchange.fail(error, std::move(headers));
    co_return;
  }
  const std::optional<Way> way = find_way(exchange, *standing.told_target);
  std::string headers = exchange.reply_headers(nullptr);
  if (way) exchange.append_target(headers, *way);
  net::append_header(headers, "content-type", "application/json");
  headers += failure.headers;
  exchange.end(outcome, failure.failure.status, failure.message);
  co_await exchange.reply(failure.failure.status, std::move(headers), failure.body);
}

// No target may be called now: every one is left alone, or there is none.
[[gnu::noinline]] Task<void> refuse_all(Exchange& exchange, const routing::AttemptPlan& plan) {
  const routing::Failure failure = plan.refusal(exchange.now());
  std::string headers;
  if (failure.retry_after) {
    net::append_header(headers, "retry-after",
                       static_cast<uint64_t>((*failure.retry_after + kSecond - 1) / kSecond));
  }
  const Error error(failure.outcome, "no target may be called now: " + plan.notes());
  co_await exchange.fail(error, std::move(headers));
}

// True: this key met a limit or was refused, another one is there, and one more attempt is within
// the budget.
bool turn_to_another_key(Exchange& exchange, const Way& way, const AttemptFailure& failure,
                         Standing& standing) {
  providers::KeyRing& keys = way.upstream.keys();
  if (!failure.other_key || keys.size() < 2) return false;
  const Nanos now = exchange.now();
  standing.tried |= providers::KeyRing::Tried{1} << way.key;
  if (!keys.pick(now, 0, standing.tried)) return false;
  routing::RetryBudget* const budget = exchange.snapshot->budget;
  return budget == nullptr || budget->try_spend(now);
}

// True: the same target is to be asked at once, with another key or in other words.
bool ask_differently(Exchange& exchange, const Way& way, const AttemptFailure& failure,
                     Standing& standing) {
  if (exchange.http.cancel().cancelled() || exchange.stored != nullptr) return false;
  if (turn_to_another_key(exchange, way, failure, standing)) return true;
  if (!failure.wanted || standing.resent) return false;
  standing.resent = true;
  return way.upstream.learned().learn(way.target.model, *failure.wanted);
}

// Keeps the failure the client learns most from (RET-9).
void keep(Standing& standing, Answered failure) {
  const bool better = !standing.told || routing::is_more_useful(failure->failure.outcome,
                                                                standing.told->failure.outcome);
  if (!better) return;
  standing.told = std::move(failure);
  standing.told_target = &standing.plan.current();
}

// What may have been done once is not to be done twice.
bool may_be_repeated(const Exchange& exchange, const routing::Failure& failure) {
  return exchange.stored == nullptr || exchange.stored->call.repeat == StoredCall::Repeat::Free ||
         routing::is_free(failure);
}

// Waits for the moment of the next attempt; or ends the exchange, if there is none. A coroutine of
// its own, so that a stream does not keep room for it.
[[gnu::noinline]] Task<bool> try_again(Exchange& exchange, Standing& standing, Answered failure) {
  const routing::Failure why = failure->failure;
  keep(standing, std::move(failure));
  // For a client that is gone nothing more is tried, and this attempt is what it left.
  std::optional<routing::AttemptPlan::Step> step;
  if (!may_be_repeated(exchange, why) || !co_await hold_for_another(exchange)) {
    standing.plan.broke(why, exchange.now());
  } else if (!exchange.http.cancel().cancelled()) {
    step = standing.plan.failed(why, exchange.now());
  }
  if (!step) {
    co_await give_up(exchange, standing);
    co_return false;
  }
  standing.tried = 0;
  standing.resent = false;
  if (step->pause == 0) co_return true;
  const Until pause = exchange.until().earlier(exchange.shared.loop.after(step->pause));
  const Nanos paused_at = exchange.now();
  const net::Wake woken = co_await net::Sleep(exchange.shared.loop, pause);
  exchange.add_upstream_time(exchange.now() - paused_at);
  if (woken != net::Wake::Cancelled) co_return true;
  const Error gone(exchange.http.cancel().why(), "the client went away between two attempts");
  co_await exchange.fail(gone);
  co_return false;
}

Answered no_way(const Exchange& exchange, const routing::Target& target) {
  const std::string& name = exchange.snapshot->upstreams[target.provider]->name();
  const Error error(Outcome::Unsupported,
                    "provider '" + name + "' has no endpoint that could serve " +
                        std::string(chat::name_of(exchange.request.endpoint)));
  return failed(error);
}

Answered no_key(const Way& way) {
  const Error error(Outcome::UpstreamAuth,
                    "every key of provider '" + way.upstream.name() + "' was refused");
  return failed(error);
}

// A stored response is asked of its own key, however that stands; what else refers to an answer
// may do as well with another one.
std::optional<size_t> key_of_maker(const Exchange& exchange, const providers::KeyRing& keys,
                                   providers::KeyRing::Tried tried) {
  using State = providers::KeyRing::State;
  const std::optional<size_t> key = exchange.preferred_key();
  if (!key || exchange.stored != nullptr) return key;
  const bool fits = tried == 0 && keys.state(*key, exchange.now()) == State::InService;
  return fits ? key : std::nullopt;
}

// Picks the key. Nothing: the way cannot be gone, `failure` says why.
std::optional<Way> set_out(Exchange& exchange, Standing& standing, Answered& failure) {
  const routing::Target& target = standing.plan.current();
  std::optional<Way> way = find_way(exchange, target);
  if (!way) {
    failure = no_way(exchange, target);
    return std::nullopt;
  }
  providers::KeyRing& keys = way->upstream.keys();
  if (keys.size() == 0) return way;
  // A lone key is used whatever was said of it: its target's breaker knows when to try again.
  if (keys.size() == 1) return way;
  if (const auto own = key_of_maker(exchange, keys, standing.tried)) {
    way->key = *own;
    return way;
  }
  const std::optional<size_t> key =
      keys.pick(exchange.now(), exchange.shared.ids.random(), standing.tried);
  if (!key) {
    failure = no_key(*way);
    return std::nullopt;
  }
  way->key = *key;
  return way;
}

}  // namespace

Task<void> dispatch(Exchange& exchange) {
  const routing::PlanContext context = context_of(*exchange.snapshot);
  const routing::RouteTargets targets = targets_of(exchange);
  Standing standing(exchange, targets, context);
  if (!standing.plan.first(exchange.now())) {
    co_await refuse_all(exchange, standing.plan);
    co_return;
  }
  exchange.allow_continuation();
  Heart heart(exchange, exchange.request.stream);
  for (bool more = true; more;) {
    exchange.answered_by(standing.plan.current());
    const Nanos began = exchange.now();
    Answered failure;
    std::optional<Way> way = set_out(exchange, standing, failure);
    if (way) {
      const InFlight counted(*exchange.snapshot->meters[way->target.slot], exchange.shared.lane);
      if (way->call == providers::Call::CortexEmbed) {
        failure = co_await embed(exchange, *way, standing.plan);
      } else {
        Result<net::CallReply> called = co_await call(exchange, *way, began);
        if (called) {
          failure =
              co_await answer(exchange, *way, standing.plan, heart, *std::move(called), began);
        } else {
          failure = call_failure(exchange, *way, called.error(), began);
        }
      }
      note_attempt(exchange, *way, began, failure);
    }
    more = failure != nullptr;
    if (more && way && ask_differently(exchange, *way, *failure, standing)) continue;
    if (more) more = co_await try_again(exchange, standing, std::move(failure));
  }
  exchange.add_reason(standing.plan.notes());
}

}  // namespace sluice::gateway
