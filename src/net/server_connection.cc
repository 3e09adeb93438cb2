#include "net/server_connection.h"

#include <algorithm>
#include <utility>

namespace sluice::net {
namespace {

// A close with unread bytes in the kernel is a reset, which can destroy the reply on its way. So we
// read on for a while, for clients that send their whole body before they look.
constexpr Nanos kLinger = 10 * kSecond;
constexpr Nanos kLingerDraining = kSecond;
constexpr Nanos kLingerQuiet = 2 * kSecond;
constexpr uint64_t kLingerBytes = 256 << 20;

Outcome outcome_of_refusal(int status) {
  return status == 414 || status == 431 ? Outcome::HeadTooLarge : Outcome::BadRequest;
}

// The views of a parsed head, for the same bytes at another place.
void rebase(std::string_view& view, const char* from, const char* to) {
  if (view.data() != nullptr) view = {to + (view.data() - from), view.size()};
}

}  // namespace

ServerConnection::ServerConnection(State& state, std::string peer)
    : state_(state), peer_(std::move(peer)) {
  state_.link(*this);
}

ServerConnection::~ServerConnection() {
  send_pushed();
  if (serving_) --state_.exchanges;
  release_request();
  state_.unlink(*this);
}

Task<void> ServerConnection::run(State& state, Arrival arrival) {
  ServerConnection self(state, std::move(arrival.peer));
  self.stream_ = std::move(arrival.stream);
  if (arrival.wrap) {
    const Until until(state.loop.after(state.options.head_timeout), &self.cancel_);
    self.stream_ = co_await (*arrival.wrap)(std::move(arrival.socket), until);
    arrival.wrap.reset();
    if (self.stream_ == nullptr) co_return;
  }
  ServerExchange exchange(self);
  while (self.keep_) {
    Step step = self.next_request();
    while (step == Step::NeedMore) {
      const IoResult got =
          co_await self.stream_->read_some(state.loop.scratch(), self.begin_wait());
      step = self.received(got);
    }
    if (step == Step::Close) co_return;
    if (step == Step::Refuse) {
      co_await self.send_refusal();
      break;
    }
    self.begin_exchange();
    bool threw = false;
    try {
      co_await state.handler.handle(exchange);
    } catch (...) {
      threw = true;
    }
    if (self.needs_last_word(threw)) co_await self.last_word(threw);
    self.end_exchange();
  }
  if (self.broken_) co_return;
  const bool unread = self.body_ != Body::Whole || self.stream_->readiness().ready(Readiness::kIn);
  if (unread) {
    co_await self.linger();
  } else {
    // A TLS client could not tell a whole reply that ends with the connection from a cut one.
    self.stream_->finish();
  }
}

Task<void> ServerConnection::turn_away(State& state, Arrival arrival) {
  ServerConnection self(state, std::move(arrival.peer));
  self.stream_ = std::move(arrival.stream);
  self.refuse_with(503, Outcome::Overloaded, "too many connections");
  co_await self.send_refusal();
  if (!self.broken_) co_await self.linger();
}

// What was read with the request before.
[[gnu::noinline]] ServerConnection::Step ServerConnection::next_request() {
  if (pending_at_ == pending_.size()) return Step::NeedMore;
  if (head_begun_ == 0) head_begun_ = state_.loop.now();
  return parse(std::string_view(pending_).substr(pending_at_), true);
}

Until ServerConnection::begin_wait() {
  if (head_begun_ != 0) {
    return Until(Deadline::at(head_begun_ + state_.options.head_timeout), &cancel_);
  }
  state_.set_idle(*this, true);
  const Nanos patience = state_.draining ? std::min(kLingerDraining, state_.options.keep_alive)
                                         : state_.options.keep_alive;
  return Until(state_.loop.after(patience), &cancel_);
}

[[gnu::noinline]] ServerConnection::Step ServerConnection::received(const IoResult& result) {
  state_.set_idle(*this, false);
  IoResult got = result;
  if (got.status == IoStatus::Cancelled && cancel_.why() == Outcome::Draining && head_begun_ == 0 &&
      !state_.cancelled) {
    // Closed for being idle; but a request that is already here was sent in good faith.
    stream_->readiness().set_ready(Readiness::kIn);
    got = stream_->try_read(state_.loop.scratch());
    keep_ = false;
    cancel_.reset();
  }
  if (got.status == IoStatus::Timeout && head_begun_ != 0) {
    return refuse_with(408, Outcome::RequestTimeout, "the request head came too slowly");
  }
  if (!got.ok()) return Step::Close;

  if (head_begun_ == 0) head_begun_ = state_.loop.now();
  const std::string_view fresh(state_.loop.scratch().data(), got.bytes);
  if (pending_.empty()) return parse(fresh, false);
  pending_.erase(0, std::exchange(pending_at_, 0));
  const size_t before = pending_.size();
  pending_.append(fresh);
  if (pending_.size() < state_.options.head.bytes && !may_end_head(pending_, before)) {
    return Step::NeedMore;
  }
  return parse(pending_, true);
}

ServerConnection::Step ServerConnection::parse(std::string_view source, bool from_pending) {
  request_ = state_.take_request();
  const HeadParse parsed = parse_request_head(source, state_.options.head, request_->head);
  if (parsed.status == HeadParse::Status::Done) {
    admit(source, parsed.consumed, from_pending);
    return Step::Serve;
  }
  release_request();
  if (parsed.status == HeadParse::Status::NeedMore) {
    keep_pending(source, from_pending);
    return Step::NeedMore;
  }
  return refuse_with(parsed.http_status, outcome_of_refusal(parsed.http_status), parsed.reason);
}

// Of what was read, `source` remains.
void ServerConnection::keep_pending(std::string_view source, bool from_pending) {
  if (source.empty()) {
    std::string().swap(pending_);  // an idle connection holds no buffer
    pending_at_ = 0;
  } else if (from_pending) {
    pending_at_ = pending_.size() - source.size();
  } else {
    pending_.assign(source);
    pending_at_ = 0;
  }
}

// Moves the head and what has come of the body out of the shared bytes.
void ServerConnection::admit(std::string_view source, size_t head_size, bool from_pending) {
  ServerRequest& request = *request_;
  RequestHead& head = request.head;
  minor_version_ = head.minor_version;
  is_head_ = head.method == "HEAD";
  keep_ = keep_ && head.keep_alive;
  awaits_continue_ = head.expects_continue;
  bytes_in_ = head_size;
  bytes_out_ = 0;
  body_error_ = Outcome::Ok;
  request.decoder = BodyDecoder(head.framing, head.length);
  body_ = request.decoder.complete() ? Body::Whole : Body::Partial;

  const char* const from = source.data();
  std::string_view rest = source.substr(head_size);
  const bool together = head.framing == Framing::Length && rest.size() >= head.length &&
                        body_ == Body::Partial && head.length <= state_.options.max_body &&
                        hold(head.length);
  const size_t kept = head_size + (together ? static_cast<size_t>(head.length) : 0);
  request.bytes.reserve(kept);
  request.bytes.append(source.substr(0, kept));
  const char* const to = request.bytes.data();
  rebase(head.method, from, to);
  rebase(head.target, from, to);
  head.headers.rebase(from, to);

  if (together) {
    request.whole_body = request.bytes.view().substr(head_size);
    bytes_in_ += head.length;
    body_ = Body::Whole;
    rest.remove_prefix(static_cast<size_t>(head.length));
  } else if (body_ == Body::Partial && !rest.empty()) {
    rest = store_arrived(rest);
  }
  keep_pending(rest, from_pending);
}

ServerConnection::Step ServerConnection::refuse_with(int status, Outcome outcome,
                                                     const char* reason) {
  refusal_ = status;
  outcome_ = outcome;
  reason_ = reason;
  keep_ = false;
  body_ = Body::Failed;  // whatever comes now is not a request
  is_head_ = false;
  minor_version_ = 1;
  return Step::Refuse;
}

void ServerConnection::begin_exchange() {
  head_begun_ = 0;
  reply_ = Reply::None;
  serving_ = true;
  ++state_.exchanges;
  cancel_.reset();
  stream_->cancel_on_hang_up(&cancel_);
}

void ServerConnection::end_exchange() {
  serving_ = false;
  --state_.exchanges;
  stream_->cancel_on_hang_up(nullptr);
  cancel_.reset();
  release_request();
  if (broken_ || body_ != Body::Whole) keep_ = false;
}

bool ServerConnection::needs_last_word(bool threw) const {
  return threw || reply_ == Reply::None || reply_ == Reply::Streaming;
}

[[gnu::noinline]] Task<void> ServerConnection::last_word(bool threw) {
  keep_ = false;
  if (reply_ == Reply::Streaming) {
    abort_stream();
  } else if (reply_ == Reply::None && (threw || !cancel_.cancelled())) {
    const bool answers_head = is_head_;
    const Body body = body_;
    refuse_with(500, Outcome::Bug, "internal error");
    is_head_ = answers_head;
    body_ = body;
    co_await send_refusal();
  } else if (reply_ == Reply::None) {
    broken_ = true;  // cancelled: nobody waits for an answer
  }
}

[[gnu::noinline]] Task<void> ServerConnection::send_refusal() {
  const std::string body = state_.handler.refuse(outcome_, reason_);
  const std::string_view headers = refusal_ == 503
                                       ? "Content-Type: application/json\r\nRetry-After: 1\r\n"
                                       : "Content-Type: application/json\r\n";
  if (!serving_) cancel_.reset();
  const Result<void> sent = co_await reply(refusal_, headers, body);
  if (!sent) broken_ = true;
}

[[gnu::noinline]] Task<void> ServerConnection::linger() {
  if (state_.cancelled) co_return;
  stream_->finish();
  const Deadline end = state_.loop.after(state_.draining ? kLingerDraining : kLinger);
  uint64_t seen = 0;
  while (seen < kLingerBytes) {
    const Until until(end.earlier(state_.loop.after(kLingerQuiet)), &cancel_);
    const IoResult got = co_await stream_->read_some(state_.loop.scratch(), until);
    if (!got.ok()) co_return;
    seen += got.bytes;
  }
}

void ServerConnection::release_request() {
  if (request_ == nullptr) return;
  state_.held -= std::exchange(request_->held, 0);
  state_.give_back(std::move(request_));
}

}  // namespace sluice::net
