#include "net/client_send.h"

#include <charconv>

namespace sluice::net {
namespace {

void append_number(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

}  // namespace

RequestParts::RequestParts(const Pool& pool, const CallRequest& request) {
  if (pool.absolute_prefix().empty()) {
    add(request.head);
  } else {
    // A plain origin behind a proxy: "POST /v1" becomes "POST http://host:port/v1".
    const size_t target = request.head.find(' ') + 1;
    add(request.head.substr(0, target));
    add(pool.absolute_prefix());
    add(request.head.substr(target));
  }
  uint64_t length = 0;
  for (const std::string_view part : request.body) length += part.size();
  const bool merge = request.body.size() > kMaxParts - kMaxHeadParts;
  tail_.reserve(pool.fixed_fields().size() + 48 + (merge ? length : 0));
  tail_ = pool.fixed_fields();
  // RFC 9110 8.6: a POST says so, too, that it has no body.
  if (!request.body.empty() || request.head.starts_with("POST ")) {
    tail_ += "Content-Length: ";
    append_number(tail_, length);
    tail_ += "\r\n";
  }
  tail_ += "\r\n";
  if (merge) {
    for (const std::string_view part : request.body) tail_ += part;
  }
  add(tail_);
  if (merge) return;
  for (const std::string_view part : request.body) add(part);
}

void RequestParts::add(std::string_view bytes) {
  if (bytes.empty()) return;
  parts_[count_++] = {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
}

void RequestParts::consume(size_t bytes) {
  while (bytes > 0) {
    iovec& part = parts_[first_];
    if (bytes < part.iov_len) {
      part.iov_base = static_cast<char*>(part.iov_base) + bytes;
      part.iov_len -= bytes;
      return;
    }
    bytes -= part.iov_len;
    ++first_;
  }
}

SendRequest::SendRequest(Stream& stream, RequestParts& parts, Nanos stall, Until until, bool timed)
    : IoWait(stream, until.earlier(stream.readiness().loop().after(stall))),
      parts_(parts),
      whole_(until.deadline()),
      stall_(stall),
      timed_(timed) {}

void SendRequest::await_suspend(std::coroutine_handle<> coroutine) {
  if (begun_) return wait(coroutine);
  coroutine_ = coroutine;
  loop().defer(*this);
}

void SendRequest::on_turn_end() {
  begun_ = true;
  if (timed_) began_at_ = loop().read_clock();
  const bool over = given_up() ? give_up() : step();
  if (over) {
    coroutine_.resume();
  } else {
    wait(coroutine_);
  }
}

void SendRequest::wait(std::coroutine_handle<> coroutine) {
  suspended_ = true;
  IoWait::await_suspend(coroutine);
}

bool SendRequest::step() {
  early_ = 0;
  while (!parts_.empty()) {
    const IoResult tried = stream_.try_write(parts_.left());
    if (tried.status == IoStatus::Again) return look_for_reply();
    if (!tried.ok()) {
      // It may have answered before it closed.
      stream_.readiness().set_ready(Readiness::kIn);
      if (!look_for_reply() || early_ == 0) result_ = tried;
      return true;
    }
    parts_.consume(tried.bytes);
    sent_ += tried.bytes;
    progressed_ = true;
  }
  result_ = IoResult();
  return true;
}

// Only when the request is stuck, so the usual one pays nothing for it.
bool SendRequest::look_for_reply() {
  if (progressed_ && suspended_) extend(whole_.earlier(loop().after(stall_)));
  progressed_ = false;
  if (!stream_.readiness().ready(Readiness::kIn)) return false;
  const IoResult got = stream_.try_read(loop().scratch());
  if (got.status == IoStatus::Again) return false;
  // An end is for the write to discover: the peer may have closed only its own direction.
  if (!got.ok()) return false;
  early_ = got.bytes;
  result_ = got;
  return true;
}

}  // namespace sluice::net
