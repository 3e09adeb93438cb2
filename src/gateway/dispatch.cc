#include "gateway/dispatch.h"

#include <utility>

#include "gateway/attempt.h"

namespace sluice::gateway {
namespace {

// What dispatch() calls once is not inlined: its locals would become a part of the frame, and so of
// every open stream.
[[gnu::noinline]] void note_attempt(Exchange& exchange, const routing::Target& target, Nanos began,
                                    const Answered& failure) {
  telemetry::Attempt attempt;
  attempt.target = exchange.snapshot->upstreams[target.provider]->name();
  attempt.target.append("/").append(target.model);
  const Nanos ended = exchange.now();
  if (!failure) exchange.set_ended_at(ended);
  attempt.duration_micros = (ended - began) / kMicrosecond;
  attempt.outcome = failure ? failure->failure.outcome : exchange.record.outcome;
  attempt.status = failure ? failure->status : exchange.record.status;
  exchange.record.attempts.push_back(std::move(attempt));
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

// Tells the client of the last failure: in the upstream's own words where those are about the
// request or its limits, in ours where they are about the upstream (its status would look like the
// client's own fault: 401, 404).
Task<void> give_up(Exchange& exchange, const routing::Target& target, Answered why) {
  AttemptFailure& failure = *why;
  const Outcome outcome = failure.failure.outcome;
  const bool own_words = !failure.body.empty() && !exchange.http.streaming() &&
                         (outcome == Outcome::UpstreamRateLimit || is_about_the_request(outcome));
  if (!own_words) {
    const Error error(outcome, std::move(failure.message));
    co_await exchange.fail(error);
    co_return;
  }
  std::string headers = exchange.reply_headers(&target);
  net::append_header(headers, "content-type", "application/json");
  headers += failure.headers;
  exchange.end(outcome, failure.status, failure.message);
  co_await exchange.reply(failure.status, std::move(headers), failure.body);
}

// Waits for the moment of the next attempt; or ends the exchange, if there is none. A coroutine of
// its own, so that a stream does not keep room for it.
[[gnu::noinline]] Task<bool> try_again(Exchange& exchange, routing::AttemptPlan& plan,
                                       Answered failure) {
  const routing::Target& failed = exchange.route->targets[plan.current()];
  const std::optional<routing::AttemptPlan::Step> step = plan.failed(failure->failure);
  const bool in_time = step && !exchange.until().deadline().passed(exchange.now() + step->pause);
  // For a client that is gone nothing more is tried, and this attempt is what it left.
  if (!in_time || exchange.http.cancel().cancelled()) {
    co_await give_up(exchange, failed, std::move(failure));
    co_return false;
  }
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

}  // namespace

Task<void> dispatch(Exchange& exchange) {
  const std::vector<routing::Target>& targets = exchange.route->targets;
  routing::AttemptPlan plan(targets.size(), exchange.snapshot->retry, exchange.shared.ids.random());
  Heart heart(exchange, exchange.request.stream);
  for (bool more = true; more;) {
    const routing::Target& target = targets[plan.current()];
    exchange.answered_by(target);
    const Nanos began = exchange.now();
    Answered failure;
    {
      const InFlight counted(*exchange.snapshot->meters[target.slot], exchange.shared.lane);
      Result<net::CallReply> called = co_await call(exchange, target, began);
      if (called) {
        failure = co_await answer(exchange, target, heart, *std::move(called));
      } else {
        failure = call_failure(exchange, target, called.error(), began);
      }
    }
    note_attempt(exchange, target, began, failure);
    more = failure != nullptr;
    if (more) more = co_await try_again(exchange, plan, std::move(failure));
  }
}

}  // namespace sluice::gateway
