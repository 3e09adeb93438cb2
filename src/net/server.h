// The HTTP/1.1 server side: connections of one loop, each a coroutine that reads a request, gives
// it to the Handler and reads the next. Keep-alive, pipelining, 100-continue, limits on every
// dimension, drain.
//
// A connection without a request in hand holds no buffer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "net/http1.h"
#include "net/socket.h"
#include "net/stream.h"

namespace sluice::net {

struct ServerOptions {
  HeadLimits head;
  uint64_t max_body = 32 << 20;
  size_t max_connections = 20'000;
  // Sum of the bodies being held by this loop; above it a request gets 503.
  uint64_t max_inflight_bytes = 1 << 30;
  Nanos head_timeout = 10 * kSecond;  // from the first byte of a request: absolute, not per byte
  Nanos body_timeout = 60 * kSecond;  // absolute, plus a second for each 16 KiB that came
  Nanos keep_alive =
      75 * kSecond;  // idle: longer than the usual 60 s of a balancer (acceptance KA-7)
  Nanos write_timeout = 60 * kSecond;  // without any progress
};

class ServerConnection;

// Sees the body of a reply, piece by piece, as it is handed over: without head and framing.
class ReplyTap {
 public:
  virtual ~ReplyTap() = default;
  virtual void sent(std::string_view piece) = 0;
};

// One request and the door for its reply. Lives while Handler::handle runs.
//
// Exactly one reply: either reply(), or start_stream(), any number of send_chunk(), end_stream().
class ServerExchange {
 public:
  const RequestHead& head() const;
  // "127.0.0.1:40312"
  const std::string& peer() const;
  Loop& loop();
  // Cancelled with ClientClosed when the client hangs up, with Draining when the drain time is
  // over.
  Cancel& cancel();

  // The whole body, as sent (content codings are the handler's business). Sends 100 Continue first
  // if it was asked for. Errors: TooLarge, RequestTimeout, BadRequest (framing), ClientClosed,
  // Overloaded. After an error the connection closes behind the reply. The view lives until
  // release_request() or the end of the exchange, and has Loop::slack() readable bytes behind it.
  Task<Result<std::string_view>> body();
  // The same without a coroutine, if the body arrived with the head (as small ones do).
  bool body_arrived() const;
  std::string_view arrived_body() const;

  // Writes a whole reply, at the end of this turn. `headers` are complete lines ("name:
  // value\r\n"...), without Content-Length, Connection and Date, which are added here. Small
  // replies are copied, so `body` may stand in bytes that are shared. One system call where the
  // kernel takes it all.
  Task<Result<void>> reply(int status, std::string_view headers, std::string_view body);

  // Begins a reply of unknown length (chunked; until close for HTTP/1.0). Written together with the
  // first chunk.
  void start_stream(int status, std::string_view headers);
  bool streaming() const;
  // The reply is over, as far as the handler is concerned.
  bool replied() const;
  // Sends `data` as one chunk, at the end of this turn. Waits while the client is slower than we
  // are: that is the back-pressure.
  Task<Result<void>> send_chunk(std::string_view data);
  // send_chunk() without a coroutine, for the common case that the kernel takes it all: copies
  // `data` as one chunk (empty: nothing), which goes out at the end of this turn. False: the kernel
  // had no room for what went before, so this waits behind it: await flush() before sending more.
  // Heartbeats use this from timers.
  bool push_chunk(std::string_view data);
  Task<Result<void>> flush();
  // `trailers`: complete lines that follow the last chunk (RFC 9112 7.1.2); left out where the
  // reply is not chunked.
  Task<Result<void>> end_stream(std::string_view trailers = {});
  // Ends the reply so that the client cannot take it for whole: the connection is cut.
  void abort_stream();

  // From now on; null: nobody. Whoever sets one takes it away before it, or the handler, ends.
  void tap(ReplyTap* tap);

  // The connection itself, instead of a reply: for the lab, whose faults lie below HTTP. From the
  // first call on the bytes of the reply are the caller's alone, framing included; the connection
  // closes in order (FIN) when the handler returns, and with a reset (RST) after abort_stream().
  // The body must have been read before.
  Stream& raw();

  // Drops head and body: for a stream that may stay open for long. head() must not be used
  // afterwards.
  void release_request();

  uint64_t bytes_in() const;   // head and body
  uint64_t bytes_out() const;  // what went to the socket, framing included

 private:
  friend class ServerConnection;
  explicit ServerExchange(ServerConnection& connection) : connection_(connection) {}
  ServerConnection& connection_;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Requires: replies exactly once, or returns after cancel. A handler that returns without having
  // replied, or throws, gets its client a 500 and its connection closed.
  virtual Task<void> handle(ServerExchange& exchange) = 0;
  // A request that never became one (bad head, too large, too slow, no room): the body of the error
  // reply, JSON. `outcome` says why; the server sends it with Content-Type: application/json and
  // closes.
  virtual std::string refuse(Outcome outcome, std::string_view reason) = 0;
};

// Wraps an accepted socket, e.g. in TLS. Null: refused.
using StreamWrapper = std::function<Task<std::unique_ptr<Stream>>(std::unique_ptr<Socket>, Until)>;

// The server of one loop. Must outlive nothing: destroying it closes every connection.
class Server {
 public:
  Server(Loop& loop, Handler& handler, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // May be called several times. `wrap` may be empty: plain TCP.
  Result<Address> listen(const Address& address, StreamWrapper wrap = {});
  // Serves a stream that came from elsewhere (tests).
  void serve(std::unique_ptr<Stream> stream, std::string peer);

  // For new requests; those in hand keep what they had.
  void set_options(ServerOptions options);

  // Stops listening, closes idle connections, answers what is in hand with Connection: close.
  // `idle()` becomes true when the last is done; cancel_all() then or after the grace time ends the
  // rest with Draining.
  void drain();
  bool idle() const;
  void cancel_all();

  size_t connections() const;
  size_t exchanges() const;  // requests in hand

 private:
  friend class ServerConnection;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::net
