#include "net/client.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "net/client_connect.h"
#include "net/client_reply.h"
#include "net/client_send.h"
#include "net/pool.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

// A connection that was used a moment ago is there; after a pause it is worth a look.
constexpr Nanos kShortPause = 20 * kMillisecond;

// A reset that is back later than this after a request was sent may be the work of a program that
// read it: this thread may have waited for a processor meanwhile.
constexpr Nanos kBeforeAnyProgram = 20 * kMicrosecond;

// The first read of a reply: as the request has only just gone, it waits for the kernel's word
// before it tries.
class ReadReply final : public IoWait {
 public:
  ReadReply(Stream& stream, std::span<char> into, Until until)
      : IoWait(stream, until), into_(into) {}
  bool await_ready() { return at_once_ = IoWait::await_ready(); }
  IoResult await_resume() { return finish(); }
  bool at_once() const { return at_once_; }

 private:
  bool step() override {
    if (std::exchange(first_, false) && !stream_.readiness().ready(Readiness::kIn)) return false;
    result_ = stream_.try_read(into_);
    return result_.status != IoStatus::Again;
  }
  uint8_t interest() const override { return stream_.read_interest(); }
  std::span<char> into_;
  bool first_ = true;
  bool at_once_ = false;
};

// How one try on one connection failed before its reply began.
struct Failure {
  IoResult result;
  bool sending = false;
  bool at_once = false;  // seen before the peer's program can have been woken
  size_t sent = 0;
};

// Proof that the peer's program has read nothing of the request (acceptance KA-5): nothing left us;
// or the peer's kernel acknowledged none of it and the connection had ended before, either in
// order, or by a reset that was back at once.
bool provably_unread(Stream& stream, const Failure& failure) {
  if (failure.result.status != IoStatus::Eof && failure.result.status != IoStatus::Failed) {
    return failure.sent == 0;
  }
  if (failure.sent == 0) return true;
  if (stream.unacknowledged_bytes() < static_cast<int64_t>(failure.sent)) return false;
  if (!tls_failure(stream).empty()) return false;
  // EPIPE is what a reset is called when the peer's end came before it; a failure without a number
  // is a TLS stream's bare end.
  return failure.result.status == IoStatus::Eof || failure.result.error == EPIPE ||
         failure.result.error == 0 || failure.at_once;
}

Error error_of(Stream& stream, const Failure& failure, const CallTimeouts& timeouts, Until until) {
  const auto millis = [](Nanos wait) { return std::to_string(wait / kMillisecond) + " ms"; };
  switch (failure.result.status) {
    case IoStatus::Cancelled:
      return Error(until.cancel()->why(), "given up while waiting for the upstream");
    case IoStatus::Timeout:
      if (until.deadline().passed(stream.readiness().loop().now())) {
        return Error(Outcome::TotalTimeout, "the call took too long as a whole");
      }
      if (failure.sending) {
        return Error(Outcome::IdleTimeout,
                     "the upstream took nothing of the request for " + millis(timeouts.idle));
      }
      return Error(Outcome::FirstByteTimeout,
                   "the upstream sent no reply within " + millis(timeouts.first_byte));
    default:
      break;
  }
  const std::string said = tls_failure(stream);
  if (!said.empty()) return Error(Outcome::TlsError, "the upstream ended TLS: " + said);
  std::string why = failure.sending ? "the upstream closed the connection during the request"
                                    : "the upstream closed the connection before its reply";
  if (failure.result.error != 0) why += std::string(" (") + strerror(failure.result.error) + ")";
  return Error(Outcome::UpstreamReset, std::move(why));
}

// Waits in the pool's queue. A coroutine of its own, so that calls below the limit keep no room for
// it. Errors: PoolTimeout, or the cancel's reason.
Task<Result<Place>> wait_for_place(Pool& pool, Nanos longest, Until until) {
  Loop& loop = pool.loop();
  const Origin& origin = pool.origin();
  const std::string all = "all " + std::to_string(origin.max_connections) + " connections to " +
                          authority_of(origin.host, origin.port) + " are in use";
  if (pool.waiting() >= origin.max_waiting) {
    co_return Error(Outcome::PoolTimeout,
                    all + ", and " + std::to_string(pool.waiting()) + " calls wait already");
  }
  const Nanos began = loop.now();
  PoolWait turn(pool, until.earlier(loop.after(longest)));
  const Wake woken = co_await turn;
  if (woken == Wake::Ready) co_return std::move(turn.place());
  if (woken == Wake::Cancelled) {
    co_return Error(until.cancel()->why(), "given up while waiting for a connection");
  }
  co_return Error(Outcome::PoolTimeout, all + ", and none became free within " +
                                            std::to_string((loop.now() - began) / kMillisecond) +
                                            " ms");
}

}  // namespace

struct Client::Pools {
  Pools(Loop& the_loop, Resolver& the_resolver) : loop(the_loop), resolver(the_resolver) {}
  ~Pools() {
    for (auto& [origin, pool] : by_origin) pool->close();
  }

  const std::shared_ptr<Pool>& of(const std::shared_ptr<const Origin>& origin) {
    std::shared_ptr<Pool>& pool = by_origin[origin.get()];
    if (pool == nullptr) pool = std::make_shared<Pool>(loop, origin);
    return pool;
  }

  Loop& loop;
  Resolver& resolver;
  // Replies share their pool: they may outlive the client.
  std::unordered_map<const Origin*, std::shared_ptr<Pool>> by_origin;
};

Client::Client(Loop& loop, Resolver& resolver) : pools_(std::make_unique<Pools>(loop, resolver)) {}
Client::~Client() = default;

size_t Client::idle_connections() const {
  size_t count = 0;
  for (const auto& [origin, pool] : pools_->by_origin) count += pool->idle();
  return count;
}

size_t Client::open_connections() const {
  size_t count = 0;
  for (const auto& [origin, pool] : pools_->by_origin) count += pool->open();
  return count;
}

size_t Client::waiting_calls() const {
  size_t count = 0;
  for (const auto& [origin, pool] : pools_->by_origin) count += pool->waiting();
  return count;
}

void Client::keep_only(std::span<const Origin* const> wanted) {
  std::erase_if(pools_->by_origin, [wanted](const auto& entry) {
    if (std::find(wanted.begin(), wanted.end(), entry.first) != wanted.end()) return false;
    entry.second->close();
    return true;
  });
}

// One turn of the outer loop is one try; a second one follows only a kept-alive connection that was
// provably dead.
Task<Result<CallReply>> Client::call(std::shared_ptr<const Origin> origin,
                                     const CallRequest& request, CallTimeouts timeouts, Until until,
                                     CallTrace& trace) {
  Loop& loop = pools_->loop;
  const std::shared_ptr<Pool> pool = pools_->of(origin);
  Slot slot;
  for (bool again = false;; again = true) {
    trace = CallTrace();
    std::unique_ptr<Connection> connection = again ? nullptr : pool->take();
    if (connection == nullptr && !slot) slot = pool->take_slot();
    if (connection == nullptr && !slot) {
      Result<Place> place = co_await wait_for_place(*pool, timeouts.queue, until);
      if (!place) co_return std::move(place).error();
      connection = std::move(place->connection);
      slot = std::move(place->slot);
    }
    trace.reused = connection != nullptr;
    if (connection == nullptr) {
      Result<std::unique_ptr<Stream>> opened =
          co_await open_connection(loop, pools_->resolver, *origin, timeouts.connect, until);
      if (!opened) co_return std::move(opened).error();
      connection = std::make_unique<Connection>(*std::move(opened), std::move(slot));
    }
    const bool rested = trace.reused && loop.now() - connection->idle_since() >= kShortPause;
    auto state = std::make_unique<CallReply::State>(pool, std::move(connection), timeouts.idle);
    Stream& stream = state->stream();

    Failure failure;
    Nanos began_at = 0;  // of sending
    RequestParts parts(*pool, request);
    // Until all has gone. It must end before the reply does, which may close the stream.
    std::optional<SendRequest> sending(std::in_place, stream, parts, timeouts.idle, until, rested);
    Until answered = until;
    for (;;) {
      size_t got = 0;
      failure.sending = sending.has_value();
      if (failure.sending) {
        failure.result = co_await *sending;
        got = sending->early_bytes();
        failure.sent = sending->sent();
        if (sending->complete()) {
          began_at = sending->began_at();
          sending.reset();
          trace.sent_at = loop.read_clock();
          answered = until.earlier(Deadline::at(trace.sent_at + timeouts.first_byte));
          if (rested) stream.readiness().set_ready(Readiness::kIn);
          continue;
        }
      } else {
        ReadReply reading(stream, loop.scratch(), answered);
        failure.result = co_await reading;
        failure.at_once = !failure.result.ok() && reading.at_once() &&
                          loop.read_clock() - began_at <= kBeforeAnyProgram;
        got = failure.result.bytes;
      }
      if (!failure.result.ok()) break;
      if (trace.first_byte_at == 0) trace.first_byte_at = loop.read_clock();
      state->append({loop.scratch().data(), got});
      const char* reason = "";
      const auto parsed = state->parse_head(request.head_only, reason);
      if (parsed == CallReply::State::HeadStatus::Bad) {
        trace.request_sent = true;
        co_return Error(Outcome::UpstreamBadReply,
                        std::string("the upstream's reply is not HTTP/1.1: ") + reason);
      }
      if (parsed == CallReply::State::HeadStatus::Done) {
        trace.request_sent = true;
        const bool whole_request_sent = !sending;
        sending.reset();
        state->begin_body(whole_request_sent);
        co_return CallReply(std::move(state));
      }
    }
    trace.request_sent = trace.first_byte_at != 0 || !provably_unread(stream, failure);
    const bool over =
        failure.result.status == IoStatus::Timeout || failure.result.status == IoStatus::Cancelled;
    if (!trace.reused || trace.request_sent || over) {
      co_return error_of(stream, failure, timeouts, until);
    }
    slot = state->connection->take_slot();
  }
}

}  // namespace sluice::net
