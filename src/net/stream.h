// A byte stream in both directions that never blocks: plain TCP (socket.h), TLS over it (tls.h), or
// memory in tests.
//
// One coroutine at a time uses a stream, and waits for one thing at a time. Reading and writing are
// awaited without a coroutine frame of their own: the awaitable lives in the frame of the caller.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

#include "net/loop.h"

namespace sluice::net {

enum class IoStatus : uint8_t {
  Ok,
  Again,      // nothing now: wait
  Eof,        // the peer has finished sending
  Failed,     // reset, broken pipe, TLS alert: `error` is an errno, or 0 where there is none
  Timeout,    // the wait's deadline passed
  Cancelled,  // the wait's Cancel was cancelled
};

struct IoResult {
  IoStatus status = IoStatus::Ok;
  int error = 0;
  size_t bytes = 0;

  bool ok() const { return status == IoStatus::Ok; }
};

// Called once when a stream has become ready for something that nobody waits for.
class ReadyHook {
 public:
  virtual void on_ready() = 0;

 protected:
  ~ReadyHook() = default;
};

// What a stream's transport can do now, and who waits for it. Fed by epoll, or by a test.
class Readiness {
 public:
  static constexpr uint8_t kIn = 1;
  static constexpr uint8_t kOut = 2;

  explicit Readiness(Loop& loop) : loop_(loop) {}

  Loop& loop() { return loop_; }
  bool ready(uint8_t interest) const { return (ready_ & interest) != 0; }
  void set_ready(uint8_t what) { ready_ |= what; }
  void clear_ready(uint8_t what) { ready_ &= static_cast<uint8_t>(~what); }
  // The peer will send no more, or is gone.
  bool hung_up() const { return hung_up_; }

  // Marks what has become possible and lets the waiter go on with it.
  void notify(uint8_t what);
  void notify_hang_up();
  // `cancel` is cancelled with ClientClosed when the peer hangs up, at once if it has; null stops
  // that.
  void cancel_on_hang_up(Cancel* cancel);
  // At the next notify() without a waiter; null takes it back.
  void call_when_ready(ReadyHook* hook) { hook_ = hook; }
  bool watched_for_hang_up() const { return on_hang_up_ != nullptr; }

 private:
  friend class IoWait;
  Loop& loop_;
  class IoWait* waiter_ = nullptr;
  Cancel* on_hang_up_ = nullptr;
  ReadyHook* hook_ = nullptr;
  uint8_t ready_ = 0;
  bool hung_up_ = false;
};

class ReadSome;
class WriteAll;

class Stream {
 public:
  virtual ~Stream() = default;

  // Never waits. Ok with bytes > 0, Again, Eof or Failed.
  virtual IoResult try_read(std::span<char> into) = 0;
  // Never waits. Ok with how many bytes were taken (> 0), Again or Failed.
  virtual IoResult try_write(std::span<const iovec> from) = 0;
  // Tells the peer that no more will come, as far as the protocol can without waiting. The
  // descriptor stays open.
  virtual void finish() = 0;
  // Makes the coming close look like a failure to the peer, where the transport can: for a peer
  // that must not take what it got for the whole.
  virtual void abort_on_close() {}
  virtual Readiness& readiness() = 0;
  // What to wait for before trying again: a TLS read may have to write first.
  virtual uint8_t read_interest() const { return Readiness::kIn; }
  virtual uint8_t write_interest() const { return Readiness::kOut; }
  // Bytes the peer's kernel has not acknowledged yet; -1 if unknown. Acknowledged bytes need not
  // have been read, and after a reset unacknowledged ones may have been (acknowledgements are
  // delayed, and a reset carries none); but after an orderly end they were not: the peer's kernel
  // had none of them when its program closed (acceptance KA-5).
  virtual int64_t unacknowledged_bytes() const { return -1; }

  // co_await: one successful try_read(), or why there was none.
  ReadSome read_some(std::span<char> into, Until until);
  // co_await: writes it all, or says why not; `bytes` is how many went. The iovecs are copied, the
  // bytes are not. `stall` > 0: each progress moves the deadline to that far from then.
  WriteAll write_all(std::span<const iovec> from, Until until, Nanos stall = 0);
  WriteAll write_all(std::string_view bytes, Until until);
  void cancel_on_hang_up(Cancel* cancel) { readiness().cancel_on_hang_up(cancel); }
};

// A Wait on a stream. `step` tries once more when something has become possible.
class IoWait : public Wait {
 public:
  bool await_ready() { return step() || (given_up() && give_up()); }
  void await_suspend(std::coroutine_handle<> coroutine) {
    stream_.readiness().waiter_ = this;
    suspend(coroutine);
  }

 protected:
  IoWait(Stream& stream, Until until) : Wait(stream.readiness().loop(), until), stream_(stream) {}
  ~IoWait() { detach(); }

  // Tries; true if the wait is over and result_ says how.
  virtual bool step() = 0;
  virtual uint8_t interest() const = 0;
  IoResult finish();
  bool give_up();

  Stream& stream_;
  IoResult result_;

 private:
  friend class Readiness;
  void detach() {
    Readiness& readiness = stream_.readiness();
    if (readiness.waiter_ == this) readiness.waiter_ = nullptr;
  }
};

class ReadSome final : public IoWait {
 public:
  ReadSome(Stream& stream, std::span<char> into, Until until)
      : IoWait(stream, until), into_(into) {}
  IoResult await_resume() { return finish(); }

 private:
  bool step() override;
  uint8_t interest() const override { return stream_.read_interest(); }
  std::span<char> into_;
};

class WriteAll final : public IoWait {
 public:
  static constexpr size_t kMaxParts = 6;
  WriteAll(Stream& stream, std::span<const iovec> from, Until until, Nanos stall = 0);
  IoResult await_resume() { return finish(); }

 private:
  bool step() override;
  uint8_t interest() const override { return stream_.write_interest(); }

  std::array<iovec, kMaxParts> parts_;
  uint8_t first_ = 0;
  uint8_t count_ = 0;
  size_t written_ = 0;
  Nanos stall_;
};

inline ReadSome Stream::read_some(std::span<char> into, Until until) {
  return ReadSome(*this, into, until);
}
inline WriteAll Stream::write_all(std::span<const iovec> from, Until until, Nanos stall) {
  return WriteAll(*this, from, until, stall);
}
inline WriteAll Stream::write_all(std::string_view bytes, Until until) {
  const iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  return WriteAll(*this, {&part, 1}, until);
}

}  // namespace sluice::net
