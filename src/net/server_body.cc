// Request bodies: what arrived with the head, and reading the rest when the handler asks.
#include <algorithm>
#include <utility>

#include "net/server_connection.h"

namespace sluice::net {
namespace {

// Beyond body_timeout, a body may take as long as it comes at this rate (reliability C5).
constexpr uint64_t kMinBytesPerSecond = 16 * 1024;

}  // namespace

// Counts bytes about to be kept; false if there is no room for them.
bool ServerConnection::hold(uint64_t bytes) {
  if (state_.held + bytes > state_.options.max_inflight_bytes) return false;
  state_.held += bytes;
  request_->held += bytes;
  return true;
}

Error ServerConnection::fail_body(Outcome outcome, const char* message) {
  body_ = Body::Failed;
  body_error_ = outcome;
  keep_ = false;
  return Error(outcome, message);
}

// Takes `bytes` of the body, which stand in request.body already if `stored`; leaves what lies
// behind the body.
Result<void> ServerConnection::decode_body(std::string_view& bytes, bool stored) {
  ServerRequest& request = *request_;
  for (;;) {
    const size_t before = bytes.size();
    std::string_view data;
    const BodyDecoder::Status status = request.decoder.next(bytes, data);
    bytes_in_ += before - bytes.size();
    if (status == BodyDecoder::Status::Bad) {
      return fail_body(Outcome::BadRequest, "the body's chunks are malformed");
    }
    if (status == BodyDecoder::Status::Data) {
      if (request.held + data.size() > state_.options.max_body) {
        return fail_body(Outcome::TooLarge, "the body is too large");
      }
      if (!hold(data.size())) {
        return fail_body(Outcome::Overloaded, "no room for another body");
      }
      if (!stored) request.body.append(data);
    }
    if (request.decoder.complete()) {
      request.whole_body = request.body.view();
      body_ = Body::Whole;
      return Result<void>();
    }
    if (status == BodyDecoder::Status::NeedMore) return Result<void>();
  }
}

// The part of the body that came with the head. Gives back what lies behind the body.
std::string_view ServerConnection::store_arrived(std::string_view bytes) {
  const RequestHead& head = request_->head;
  awaits_continue_ = false;
  if (head.framing == Framing::Length) {
    // Refused in read_body(), if the handler wants it at all.
    if (head.length > state_.options.max_body) return {};
    // Untouched pages cost nothing, and the rest can be read in place.
    request_->body.reserve(static_cast<size_t>(head.length));
  }
  const Result<void> decoded = decode_body(bytes, false);
  return decoded ? bytes : std::string_view();
}

Deadline ServerConnection::body_deadline(Nanos begun) const {
  const auto earned = static_cast<Nanos>(request_->held / kMinBytesPerSecond) * kSecond;
  return Deadline::at(begun + state_.options.body_timeout + earned);
}

Task<Result<std::string_view>> ServerConnection::read_body() {
  if (body_ == Body::Whole) co_return request_->whole_body;
  if (body_ == Body::Failed) co_return Error(body_error_, "the body could not be read");
  const RequestHead& head = request_->head;
  const bool sized = head.framing == Framing::Length;
  if (sized && head.length > state_.options.max_body) {
    co_return fail_body(Outcome::TooLarge, "the body is too large");
  }
  const Nanos begun = state_.loop.now();
  if (std::exchange(awaits_continue_, false)) {
    const Until until(state_.loop.after(state_.options.write_timeout), &cancel_);
    const IoResult sent = co_await stream_->write_all("HTTP/1.1 100 Continue\r\n\r\n", until);
    const Result<void> done = written(sent);
    if (!done) co_return fail_body(done.error().outcome(), "the client went away");
  }
  if (sized) request_->body.reserve(static_cast<size_t>(head.length));
  // The end of the connection is seen by reading, after the bytes that came before it.
  stream_->cancel_on_hang_up(nullptr);
  while (body_ == Body::Partial) {
    // Of a sized body never more than belongs to it: a buffer used before may have room for more.
    const std::span<char> room =
        sized
            ? request_->body.tail().first(static_cast<size_t>(head.length) - request_->body.size())
            : state_.loop.scratch();
    const Until until(body_deadline(begun), &cancel_);
    const IoResult got = co_await stream_->read_some(room, until);
    if (got.status == IoStatus::Timeout) {
      co_return fail_body(Outcome::RequestTimeout, "the body came too slowly");
    }
    if (got.status == IoStatus::Cancelled) {
      co_return fail_body(cancel_.why(), "the exchange was cancelled");
    }
    if (!got.ok()) {
      broken_ = true;
      cancel_.cancel(Outcome::ClientClosed);
      co_return fail_body(Outcome::ClientClosed, "the client went away within its request");
    }
    if (sized) request_->body.grown(got.bytes);
    std::string_view bytes(room.data(), got.bytes);
    Result<void> decoded = decode_body(bytes, sized);
    if (!decoded) co_return std::move(decoded).error();
    if (!bytes.empty()) keep_pending(bytes, false);
  }
  stream_->cancel_on_hang_up(&cancel_);
  co_return request_->whole_body;
}

}  // namespace sluice::net
