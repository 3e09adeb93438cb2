// A request on its way out: head, fixed fields and body in one send, and an eye on a reply that
// comes before the body has gone (acceptance: early 413).
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

#include "net/client.h"
#include "net/pool.h"
#include "net/stream.h"

namespace sluice::net {

// The pieces of one request as they go out. Borrows the request's bytes.
class RequestParts {
 public:
  RequestParts(const Pool& pool, const CallRequest& request);
  RequestParts(const RequestParts&) = delete;
  RequestParts& operator=(const RequestParts&) = delete;

  bool empty() const { return first_ == count_; }
  std::span<const iovec> left() const { return {&parts_[first_], count_ - first_}; }
  void consume(size_t bytes);

 private:
  static constexpr size_t kMaxParts = 12;
  static constexpr size_t kMaxHeadParts = 4;
  void add(std::string_view bytes);

  std::array<iovec, kMaxParts> parts_;
  size_t first_ = 0;
  size_t count_ = 0;
  std::string tail_;  // the end of the head; and the body, if it comes in too many pieces
};

// co_await: at the end of this turn it begins to send. Until all has gone, or the peer says
// something (early_bytes() of it are then in the loop's scratch buffer; awaiting again goes on), or
// it fails. After `stall` without any progress it gives up.
class SendRequest final : public IoWait, private Deferred {
 public:
  // `timed`: began_at() will be asked for.
  SendRequest(Stream& stream, RequestParts& parts, Nanos stall, Until until, bool timed);
  bool await_ready() { return begun_ && IoWait::await_ready(); }
  void await_suspend(std::coroutine_handle<> coroutine);
  IoResult await_resume() {
    suspended_ = false;
    return finish();
  }

  bool complete() const { return parts_.empty(); }
  size_t sent() const { return sent_; }
  // When the first byte was offered, by the clock of that moment; 0 if not timed.
  Nanos began_at() const { return began_at_; }
  size_t early_bytes() const { return early_; }

 private:
  void on_turn_end() override;
  void wait(std::coroutine_handle<> coroutine);
  bool step() override;
  bool look_for_reply();
  uint8_t interest() const override { return Readiness::kOut | Readiness::kIn; }

  RequestParts& parts_;
  Deadline whole_;
  Nanos stall_;
  size_t sent_ = 0;
  size_t early_ = 0;
  Nanos began_at_ = 0;
  const bool timed_;
  std::coroutine_handle<> coroutine_;  // until sending begins
  bool begun_ = false;
  bool progressed_ = false;
  bool suspended_ = false;  // so the moment to give up is armed
};

}  // namespace sluice::net
