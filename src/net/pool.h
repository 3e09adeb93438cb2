// The connections of one loop to one origin: those that are kept alive, last in, first out, so that
// a shrinking load lets the rest run into their idle timeout; and the limit on how many there may
// be in all, with a queue, first come, first served, for calls that find it reached.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/client.h"
#include "net/http1.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"

namespace sluice::net {

class Pool;

// The right to have one connection open; given back when it is destroyed, to the first call that
// waits for it. The pool must outlive it.
class Slot {
 public:
  Slot() = default;
  Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  Slot& operator=(Slot&& other) noexcept {
    if (this != &other) {
      give_back();
      pool_ = std::exchange(other.pool_, nullptr);
    }
    return *this;
  }
  ~Slot() { give_back(); }
  explicit operator bool() const { return pool_ != nullptr; }

 private:
  friend class Pool;
  explicit Slot(Pool* pool) : pool_(pool) {}
  void give_back();
  Pool* pool_ = nullptr;
};

// A connection to an origin, ready for a request.
class Connection final : private CancelHook {
 public:
  Connection(std::unique_ptr<Stream> stream, Slot slot)
      : slot_(std::move(slot)), stream_(std::move(stream)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Stream& stream() { return *stream_; }
  // When it was last given back; 0 for a fresh one.
  Nanos idle_since() const { return idle_since_; }
  // The last read filled its buffer, so more may have come than belonged to the reply.
  void set_unsure(bool unsure) { unsure_ = unsure; }
  // For the connection that takes the place of this one, which is dead.
  Slot take_slot() { return std::move(slot_); }

 private:
  friend class Pool;
  void on_cancel() override;
  bool is_quiet();

  Slot slot_;  // before the stream: it is given back when that is closed
  std::unique_ptr<Stream> stream_;
  Pool* pool_ = nullptr;  // while it is idle
  Cancel hang_up_;        // told when the peer closes an idle connection
  Nanos idle_since_ = 0;
  bool unsure_ = false;
};

// What a call needs to go on: a connection, or the right to open one.
struct Place {
  std::unique_ptr<Connection> connection;
  Slot slot;
  explicit operator bool() const { return connection != nullptr || slot; }
};

// co_await: waits in a pool's queue until its turn comes (Wake::Ready; then place() holds
// something), its time is over, or it is cancelled. Destroyed while it waits, it leaves the queue
// at once.
class PoolWait final : public Wait, private Deferred {
 public:
  PoolWait(Pool& pool, Until until);
  ~PoolWait();
  bool await_ready() { return given_up(); }
  void await_suspend(std::coroutine_handle<> coroutine);
  Wake await_resume() const { return place_ ? Wake::Ready : why(); }
  Place& place() { return place_; }

 private:
  friend class Pool;
  // At the end of the turn: whoever gives the place is in the middle of something.
  void on_turn_end() override { wake(Wake::Ready); }

  Pool& pool_;
  Place place_;
  PoolWait* previous_ = nullptr;
  PoolWait* next_ = nullptr;
  bool queued_ = false;
};

class Pool final : private Timer {
 public:
  Pool(Loop& loop, std::shared_ptr<const Origin> origin);
  ~Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  Loop& loop() { return loop_; }
  const Origin& origin() const { return *origin_; }
  // What every request to this origin carries: "Host: ...", and for a plain origin behind a proxy
  // Proxy-Authorization.
  const std::string& fixed_fields() const { return fixed_fields_; }
  // "http://host:port" for a plain origin behind a proxy, else empty.
  const std::string& absolute_prefix() const { return absolute_prefix_; }

  // The youngest connection that is not known to be dead, or null.
  std::unique_ptr<Connection> take();
  // The right to open another one; empty where the limit is reached. Requires: take() has just said
  // null.
  Slot take_slot();
  // Back from a call: to the first that waits, or to the idle ones.
  void put(std::unique_ptr<Connection> connection);
  // Closes what is idle and keeps nothing from now on.
  void close();
  size_t idle() const { return idle_.size(); }
  // Idle, in use, or being opened.
  size_t open() const { return open_; }
  // Calls that wait for their turn.
  size_t waiting() const { return waiting_; }

  // Header lists keep their memory from reply to reply.
  ResponseHead take_head();
  void give_head(ResponseHead head);

 private:
  friend class Connection;
  friend class PoolWait;
  friend class Slot;
  void on_timer() override;
  void drop(Connection* connection);
  void enqueue(PoolWait& wait);
  void leave(PoolWait& wait);
  void grant(Place place);
  void release_slot();

  Loop& loop_;
  std::shared_ptr<const Origin> origin_;
  std::string fixed_fields_;
  std::string absolute_prefix_;
  // Before the idle ones, which give their slots back when they are destroyed.
  size_t open_ = 0;
  size_t waiting_ = 0;
  PoolWait* first_ = nullptr;
  PoolWait* last_ = nullptr;
  std::vector<std::unique_ptr<Connection>> idle_;  // oldest first; none while calls wait
  std::vector<ResponseHead> heads_;
  bool closed_ = false;
};

// "host:port", with brackets around an IPv6 literal.
std::string authority_of(const std::string& host, uint16_t port);

}  // namespace sluice::net
