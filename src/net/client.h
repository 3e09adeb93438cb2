// The HTTP/1.1 client side: a pool of kept-alive connections per origin, and one call on one of
// them.
//
// Belongs to one loop. A reply that is read to its end gives its connection back; any other end
// closes it, which tells the upstream to stop working.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "net/dns.h"
#include "net/http1.h"
#include "net/stream.h"

namespace sluice::net {

class TlsClientContext;

// Where a client connects, and how. Immutable and shared by the loops; a Client keeps one pool per
// Origin object.
struct Origin {
  std::string host;  // name or address literal, without brackets
  uint16_t port = 0;
  std::shared_ptr<const TlsClientContext> tls;  // null: plain HTTP
  std::string server_name;                      // SNI and certificate name; empty: host
  // An HTTP proxy to go through: CONNECT for TLS origins, absolute-form requests for plain ones.
  std::string proxy_host;  // empty: none
  uint16_t proxy_port = 0;
  std::string proxy_authorization;    // value of Proxy-Authorization; a secret
  Nanos idle_timeout = 15 * kSecond;  // shorter than the peers' (acceptance KA-5)
  size_t max_idle = 256;              // connections kept per loop
  // Connections in all, per loop: a stream holds its own until its end. Calls beyond wait.
  size_t max_connections = std::numeric_limits<size_t>::max();
  size_t max_waiting = 1000;  // calls that wait for a connection, per loop; more are refused
};

struct CallTimeouts {
  Nanos queue = 5 * kSecond;         // for a connection, where their limit is reached
  Nanos connect = 5 * kSecond;       // name, TCP and TLS together
  Nanos first_byte = 600 * kSecond;  // from the request's last byte to the reply's first
  Nanos idle = 300 * kSecond;        // between two reads of the body
};

struct CallRequest {
  // Request line and all fields but Host, Content-Length and the blank line: "POST /v1/...
  // HTTP/1.1\r\nname: ...\r\n".
  std::string_view head;
  std::span<const std::string_view> body;  // parts, sent in order without copying; empty: no body
  bool head_only = false;                  // method HEAD
};

// A reply being read. Destroying it before its end closes the connection.
class CallReply {
 public:
  ~CallReply();
  CallReply(CallReply&&) noexcept;
  CallReply& operator=(CallReply&&) noexcept;

  const ResponseHead& head() const;
  // The next bytes of the body, decoded from its framing; empty at its end. The view is gone at the
  // next suspension (it may stand in the loop's scratch buffer). Errors: UpstreamReset (cut short),
  // IdleTimeout, or why `until` ended.
  Task<Result<std::string_view>> next(Until until);
  // The same, if some are here already or can be read without waiting: nullopt when it would wait.
  std::optional<Result<std::string_view>> try_next();
  // next() by hand, for a long stream that shall not need a coroutine for each piece: when
  // try_next() would wait, await read() and give what it says to take(), until that has something.
  ReadSome read(Until until);
  std::optional<Result<std::string_view>> take(const IoResult& got, Until until);
  // All the rest of the body. Errors as next(), and UpstreamBadReply above `limit`. The view lives
  // as long as the reply, and has Loop::slack() readable bytes behind it.
  Task<Result<std::string_view>> read_all(uint64_t limit, Until until);
  // The same without a coroutine, if a body of known length arrived with the head (as small ones
  // do), or if there is an error already; else nothing has happened.
  std::optional<Result<std::string_view>> try_read_all(uint64_t limit);
  // Drops head and buffers: for a stream that may stay open for long. head() must not be used
  // afterwards.
  void release_head();

 private:
  friend class Client;
  struct State;
  explicit CallReply(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What a call found out about the way, also when it failed.
struct CallTrace {
  bool reused = false;  // on a kept-alive connection
  bool request_sent =
      false;          // at least one byte of the request may have reached the peer's program
  Nanos sent_at = 0;  // when the request's last byte went to the kernel; 0: it did not
  Nanos first_byte_at = 0;
};

class Client {
 public:
  Client(Loop& loop, Resolver& resolver);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends one request and reads the reply's head (1xx heads are skipped, at most 8). `until` bounds
  // the whole; its deadline gives TotalTimeout. A kept-alive connection that turns out to be dead
  // is replaced once by a fresh one, if it is proven that the peer never read the request. Errors:
  // PoolTimeout, DnsError, ConnectError, ConnectTimeout, TlsError, UpstreamReset, FirstByteTimeout,
  // UpstreamBadReply, TotalTimeout, or the cancel's reason. `request`, `origin` and `trace` must
  // live until the task ends; `origin` as long as the client.
  Task<Result<CallReply>> call(std::shared_ptr<const Origin> origin, const CallRequest& request,
                               CallTimeouts timeouts, Until until, CallTrace& trace);

  size_t idle_connections() const;
  // Idle, in use, or being opened.
  size_t open_connections() const;
  // Calls that wait for a connection.
  size_t waiting_calls() const;
  // Closes the kept-alive connections of every other origin (after a reload).
  void keep_only(std::span<const Origin* const> wanted);

 private:
  friend class CallReply;
  struct Pools;
  std::unique_ptr<Pools> pools_;
};

}  // namespace sluice::net
