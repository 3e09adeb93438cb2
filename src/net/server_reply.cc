// Replies: heads, whole bodies, streams of chunks.
#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "net/server_connection.h"

namespace sluice::net {
namespace {

constexpr std::string_view kCrLf = "\r\n";

// Larger replies are not copied, and a stream's pushes are sent before they become larger.
constexpr size_t kMostPushed = 64 * 1024;
// What the outbox may hold on to after a busy turn.
constexpr size_t kOutboxKept = 1 << 20;

iovec part(std::string_view bytes) {
  return iovec{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
}

void append_two_digits(std::string& out, int number) {
  out.push_back(static_cast<char>('0' + number / 10 % 10));
  out.push_back(static_cast<char>('0' + number % 10));
}

// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"; strftime would ask the locale.
void make_date_line(std::string& out, int64_t wall_seconds) {
  static constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::time_t seconds = wall_seconds;
  std::tm utc;
  gmtime_r(&seconds, &utc);
  out.assign("Date: ");
  out.append(kDays.substr(static_cast<size_t>(utc.tm_wday) * 3, 3)).append(", ");
  append_two_digits(out, utc.tm_mday);
  out.append(" ").append(kMonths.substr(static_cast<size_t>(utc.tm_mon) * 3, 3)).append(" ");
  append_two_digits(out, (utc.tm_year + 1900) / 100);
  append_two_digits(out, utc.tm_year % 100);
  out.append(" ");
  append_two_digits(out, utc.tm_hour);
  out.append(":");
  append_two_digits(out, utc.tm_min);
  out.append(":");
  append_two_digits(out, utc.tm_sec);
  out.append(" GMT\r\n");
}

}  // namespace

// What one call sends, in order. Empty parts cost nothing.
struct ServerConnection::Parts {
  std::string_view head;
  std::string_view size_line;
  std::string_view data;
  std::string_view end;

  size_t size() const { return head.size() + size_line.size() + data.size() + end.size(); }
  // Fills `out`; gives how many parts there are.
  size_t fill(std::array<iovec, 4>& out) const {
    size_t count = 0;
    for (const std::string_view bytes : {head, size_line, data, end}) {
      if (!bytes.empty()) out[count++] = part(bytes);
    }
    return count;
  }
  // The same bytes without the first `sent`.
  void drop(size_t sent) {
    for (std::string_view* bytes : {&head, &size_line, &data, &end}) {
      const size_t gone = std::min(sent, bytes->size());
      bytes->remove_prefix(gone);
      sent -= gone;
    }
  }
  // One try, without waiting.
  IoResult try_send(Stream& stream) {
    std::array<iovec, 4> vectors;
    const size_t count = fill(vectors);
    if (count == 0) return IoResult{};
    const IoResult sent = stream.try_write({vectors.data(), count});
    if (sent.ok()) drop(sent.bytes);
    return sent;
  }
};

// co_await: until what was pushed has been offered to the kernel.
struct ServerConnection::Pushed {
  explicit Pushed(ServerConnection& of) : connection(of) {}
  ServerConnection& connection;
  bool await_ready() const { return connection.pushed_ == 0; }
  void await_suspend(std::coroutine_handle<> coroutine) const {
    connection.after_push_ = coroutine;
  }
  void await_resume() const {}
};

std::string_view Server::State::date() {
  if (loop.now() >= date_until) {
    const int64_t micros = loop.clock().wall_micros();
    date_until = loop.now() + (1'000'000 - micros % 1'000'000) * kMicrosecond;
    make_date_line(date_line, micros / 1'000'000);
  }
  return date_line;
}

void ServerConnection::begin_head(std::string& out, int status, std::string_view headers) {
  bodiless_ = is_head_ || status == 204 || status == 304;
  // The rest of a body nobody asked for is not the next request.
  if (state_.draining || body_ != Body::Whole) keep_ = false;
  out.clear();
  append_status_line(out, status);
  out.append(state_.date()).append(headers);
}

void ServerConnection::end_head(std::string& out) const {
  if (!keep_) {
    out.append("Connection: close\r\n");
  } else if (minor_version_ == 0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append(kCrLf);
}

Task<Result<void>> ServerConnection::reply(int status, std::string_view headers,
                                           std::string_view body) {
  reply_ = Reply::Sent;
  std::string& head = state_.head;
  begin_head(head, status, headers);
  if (status != 204 && status != 304) append_header(head, "Content-Length", body.size());
  end_head(head);
  if (tap_ != nullptr && !bodiless_) tap_->sent(body);

  Parts parts{
      .head = head, .size_line = {}, .data = bodiless_ ? std::string_view() : body, .end = {}};
  if (parts.size() <= kMostPushed) {
    push(parts);
    Pushed pushed(*this);
    co_await pushed;
    if (backlog_.empty() && !broken_) co_return Result<void>();
    co_return co_await flush();
  }
  const IoResult sent = parts.try_send(*stream_);
  if (sent.status == IoStatus::Failed) co_return written(sent);
  bytes_out_ += sent.bytes;
  if (parts.size() == 0) co_return Result<void>();
  co_return co_await send_rest(parts);
}

void ServerConnection::start_stream(int status, std::string_view headers) {
  reply_ = Reply::Streaming;
  chunked_out_ = minor_version_ == 1;
  if (!chunked_out_) keep_ = false;
  begin_head(head_out_, status, headers);
  if (chunked_out_ && status != 204 && status != 304) {
    append_header(head_out_, "Transfer-Encoding", "chunked");
  }
  end_head(head_out_);
}

// Never cancels, since it may be called from anywhere: a failed stream is told by flush(), and by
// the hang-up that comes with it.
bool ServerConnection::push(const Parts& parts) {
  if (parts.size() == 0) return backlog_.empty() && !broken_;
  std::string& outbox = state_.outbox;
  if (pushed_ > 0 && pushed_at_ + pushed_ != outbox.size()) send_pushed();
  const bool waits = flushing_ || !backlog_.empty();
  std::string& out = waits ? backlog_ : outbox;
  if (!waits && pushed_ == 0) {
    pushed_at_ = outbox.size();
    ++state_.pushing;
    state_.loop.defer(*this);
  }
  for (const std::string_view bytes : {parts.head, parts.size_line, parts.data, parts.end}) {
    out.append(bytes);
  }
  std::string().swap(head_out_);
  if (!waits) pushed_ = outbox.size() - pushed_at_;
  if (pushed_ > kMostPushed) send_pushed();
  return backlog_.empty() && !broken_;
}

void ServerConnection::send_pushed() {
  if (pushed_ == 0) return;
  offer({state_.outbox.data() + pushed_at_, std::exchange(pushed_, 0)});
  if (--state_.pushing > 0) return;
  if (state_.outbox.capacity() > kOutboxKept) std::string().swap(state_.outbox);
  state_.outbox.clear();
}

// Sends what the kernel takes. The rest goes out as soon as the client makes room, whether or not
// there is more to send.
void ServerConnection::offer(std::string_view left) {
  while (!left.empty() && !broken_) {
    const iovec whole = part(left);
    const IoResult sent = stream_->try_write({&whole, 1});
    broken_ = sent.status == IoStatus::Failed;
    if (!sent.ok()) break;
    bytes_out_ += sent.bytes;
    left.remove_prefix(sent.bytes);
  }
  if (left.empty()) return;
  backlog_.append(left);
  if (!broken_) stream_->readiness().call_when_ready(this);
}

void ServerConnection::on_ready() {
  if (flushing_ || broken_) return;
  const std::string out = std::exchange(backlog_, {});
  offer(out);
}

void ServerConnection::on_turn_end() {
  send_pushed();
  if (after_push_) std::exchange(after_push_, nullptr).resume();
}

bool ServerConnection::push_chunk(std::string_view data) {
  if (bodiless_) data = {};
  if (tap_ != nullptr && !data.empty()) tap_->sent(data);
  const bool framed = chunked_out_ && !data.empty();
  char size_line[20];
  size_t size_length = 0;
  if (framed) {
    char* end = std::to_chars(size_line, size_line + 16, data.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    size_length = static_cast<size_t>(end - size_line);
  }
  return push(Parts{.head = head_out_,
                    .size_line = {size_line, size_length},
                    .data = data,
                    .end = framed ? kCrLf : std::string_view()});
}

Task<Result<void>> ServerConnection::flush() {
  Pushed pushed(*this);
  co_await pushed;
  stream_->readiness().call_when_ready(nullptr);
  while (!broken_ && !backlog_.empty()) {
    const std::string out = std::exchange(backlog_, {});
    flushing_ = true;
    Result<void> sent = co_await write_out(out);
    flushing_ = false;
    if (!sent) co_return sent;
  }
  if (broken_) co_return written(IoResult{.status = IoStatus::Failed});
  co_return Result<void>();
}

Task<Result<void>> ServerConnection::send_chunk(std::string_view data) {
  if (push_chunk(data)) co_return Result<void>();
  co_return co_await flush();
}

Task<Result<void>> ServerConnection::end_stream(std::string_view trailers) {
  reply_ = Reply::Sent;
  const bool framed = chunked_out_ && !bodiless_;
  push(Parts{.head = head_out_,
             .size_line = framed ? kLastChunkSize : std::string_view(),
             .data = framed ? trailers : std::string_view(),
             .end = framed ? kCrLf : std::string_view()});
  Pushed pushed(*this);
  co_await pushed;
  if (backlog_.empty() && !broken_) co_return Result<void>();
  co_return co_await flush();
}

void ServerConnection::abort_stream() {
  send_pushed();
  reply_ = Reply::Aborted;
  // Chunks without a last chunk are visibly cut, and a plain close delivers those that were sent.
  // A reply that ends with the connection needs a reset to look cut.
  if (!chunked_out_ || bodiless_) stream_->abort_on_close();
  keep_ = false;
  broken_ = true;
}

// The kernel did not take it all. What stands in memory shared by the loop is copied before we
// wait.
Task<Result<void>> ServerConnection::send_rest(Parts parts) {
  const std::span<char> scratch = state_.loop.scratch();
  const bool shared =
      parts.data.data() >= scratch.data() && parts.data.data() < scratch.data() + scratch.size();
  std::string kept(parts.head);
  if (shared) kept.append(std::exchange(parts.data, {}));
  co_return co_await write_out(kept, parts.data);
}

// In one call: a TLS stream wants to see at least the bytes again that it saw before.
Task<Result<void>> ServerConnection::write_out(std::string_view bytes, std::string_view more) {
  const Nanos stall = state_.options.write_timeout;
  const Until until(state_.loop.after(stall), &cancel_);
  const iovec both[] = {part(bytes), part(more)};
  const std::span<const iovec> all(both, more.empty() ? 1 : 2);
  const IoResult sent = co_await stream_->write_all(all, until, stall);
  co_return written(sent);
}

Result<void> ServerConnection::written(const IoResult& result) {
  bytes_out_ += result.bytes;
  if (result.ok()) return Result<void>();
  keep_ = false;
  broken_ = true;
  if (result.status == IoStatus::Timeout) {
    // Closing would leave the rest in the kernel's hands for as long as the client likes.
    stream_->abort_on_close();
    cancel_.cancel(Outcome::ClientClosed);
    return Error(Outcome::ClientClosed, "the client stopped reading");
  }
  cancel_.cancel(Outcome::ClientClosed);
  return Error(cancel_.why(), "the client went away");
}

}  // namespace sluice::net
