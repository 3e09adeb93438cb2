// Kept-alive connections to one origin, of one loop. Last in, first out, so that a shrinking load
// lets the rest run into their idle timeout.
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

// A connection to an origin, ready for a request.
class Connection final : private CancelHook {
 public:
  explicit Connection(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Stream& stream() { return *stream_; }
  // When it was last given back; 0 for a fresh one.
  Nanos idle_since() const { return idle_since_; }
  // The last read filled its buffer, so more may have come than belonged to the reply.
  void set_unsure(bool unsure) { unsure_ = unsure; }

 private:
  friend class Pool;
  void on_cancel() override;
  bool is_quiet();

  std::unique_ptr<Stream> stream_;
  Pool* pool_ = nullptr;  // while it is idle
  Cancel hang_up_;        // told when the peer closes an idle connection
  Nanos idle_since_ = 0;
  bool unsure_ = false;
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
  void put(std::unique_ptr<Connection> connection);
  // Closes what is idle and keeps nothing from now on.
  void close();
  size_t idle() const { return idle_.size(); }

  // Header lists keep their memory from reply to reply.
  ResponseHead take_head();
  void give_head(ResponseHead head);

 private:
  friend class Connection;
  void on_timer() override;
  void drop(Connection* connection);

  Loop& loop_;
  std::shared_ptr<const Origin> origin_;
  std::string fixed_fields_;
  std::string absolute_prefix_;
  std::vector<std::unique_ptr<Connection>> idle_;  // oldest first
  std::vector<ResponseHead> heads_;
  bool closed_ = false;
};

// "host:port", with brackets around an IPv6 literal.
std::string authority_of(const std::string& host, uint16_t port);

}  // namespace sluice::net
