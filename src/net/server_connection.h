// One connection of a Server, and what the connections of a Server share. Private to server*.cc.
//
// A connection is one coroutine, run(). What it must remember while idle is in ServerConnection;
// what belongs to a request is in a ServerRequest, borrowed from the server's pool while there is
// one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/byte_buffer.h"
#include "net/server.h"

namespace sluice::net {

struct ServerRequest {
  RequestHead head;  // views into `bytes`
  ByteBuffer bytes;  // the head, and the body if it has a length and arrived with the head
  ByteBuffer body;   // any other body
  std::string_view whole_body;
  BodyDecoder decoder{Framing::None, 0};
  uint64_t held = 0;  // bytes counted in the server's sum
};

class ServerConnection final : private Deferred, private ReadyHook {
 public:
  using State = Server::State;

  // What the listener gives: either a stream, or a socket and how to wrap it.
  struct Arrival {
    std::unique_ptr<Stream> stream;
    std::unique_ptr<Socket> socket;
    std::shared_ptr<const StreamWrapper> wrap;
    std::string peer;
  };

  static Task<void> run(State& state, Arrival arrival);
  // Answers 503 and closes: for a connection too many.
  static Task<void> turn_away(State& state, Arrival arrival);

  ServerConnection(State& state, std::string peer);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  void cancel(Outcome why) { cancel_.cancel(why); }

 private:
  friend class Server;
  friend class ServerExchange;
  friend struct Server::State;
  enum class Step : uint8_t { NeedMore, Serve, Refuse, Close };
  enum class Body : uint8_t { Whole, Partial, Failed };
  enum class Reply : uint8_t { None, Sent, Streaming, Aborted };

  // Requests: server_connection.cc.
  Step next_request();
  Until begin_wait();
  Step received(const IoResult& got);
  Step parse(std::string_view source, bool from_pending);
  void keep_pending(std::string_view source, bool from_pending);
  void admit(std::string_view source, size_t head_size, bool from_pending);
  Step refuse_with(int status, Outcome outcome, const char* reason);
  void begin_exchange();
  void end_exchange();
  // What is rarely needed has a coroutine of its own that is not inlined: its frame would become a
  // part of run()'s, and so of every idle connection.
  // After the handler: is there something left to say?
  bool needs_last_word(bool threw) const;
  Task<void> last_word(bool threw);
  Task<void> send_refusal();
  Task<void> linger();
  void release_request();

  // Bodies: server_body.cc.
  Task<Result<std::string_view>> read_body();
  std::string_view store_arrived(std::string_view bytes);
  bool hold(uint64_t bytes);
  Result<void> decode_body(std::string_view& bytes, bool stored);
  Error fail_body(Outcome outcome, const char* message);
  Deadline body_deadline(Nanos begun) const;

  // Replies: server_reply.cc.
  Task<Result<void>> reply(int status, std::string_view headers, std::string_view body);
  void start_stream(int status, std::string_view headers);
  Task<Result<void>> send_chunk(std::string_view data);
  Task<Result<void>> end_stream(std::string_view trailers);
  void abort_stream();
  struct Parts;
  struct Pushed;
  bool push(const Parts& parts);
  void send_pushed();
  void on_turn_end() override;
  void offer(std::string_view left);
  void on_ready() override;
  bool push_chunk(std::string_view data);
  Task<Result<void>> flush();
  Task<Result<void>> send_rest(Parts parts);
  Task<Result<void>> write_out(std::string_view bytes, std::string_view more = {});
  Result<void> written(const IoResult& result);
  void begin_head(std::string& out, int status, std::string_view headers);
  void end_head(std::string& out) const;

  State& state_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<ServerRequest> request_;
  Cancel cancel_;
  std::string peer_;
  std::string pending_;    // read, and not taken yet: a part of a head, or the next requests
  size_t pending_at_ = 0;  // what of it is taken
  std::string backlog_;    // what the kernel did not take
  std::string head_out_;   // of a stream, until its first chunk
  size_t pushed_at_ = 0;   // in the server's outbox: what goes out at the end of this turn
  size_t pushed_ = 0;
  std::coroutine_handle<> after_push_;  // resumed then
  ReplyTap* tap_ = nullptr;
  Nanos head_begun_ = 0;  // when the first byte of the head being read came; 0: none has
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
  const char* reason_ = "";  // of the refusal
  int refusal_ = 0;          // its status
  Outcome outcome_ = Outcome::Ok;
  Outcome body_error_ = Outcome::Ok;
  Body body_ = Body::Whole;
  Reply reply_ = Reply::None;
  bool keep_ = true;  // the connection outlives this exchange
  bool broken_ = false;
  bool flushing_ = false;
  bool serving_ = false;
  bool is_head_ = false;
  bool chunked_out_ = false;
  bool bodiless_ = false;  // the reply has no body whatever the handler sends
  bool awaits_continue_ = false;
  uint8_t minor_version_ = 1;

  // In the server's lists: of all, and of those that wait for a request.
  ServerConnection* previous_ = nullptr;
  ServerConnection* next_ = nullptr;
  ServerConnection* older_ = nullptr;
  ServerConnection* younger_ = nullptr;
  bool idle_ = false;
};

struct Server::State {
  State(Loop& of, Handler& by, ServerOptions with) : loop(of), handler(by), options(with) {}

  void serve(ServerConnection::Arrival arrival);
  void link(ServerConnection& connection);
  void unlink(ServerConnection& connection);
  void set_idle(ServerConnection& connection, bool idle);
  std::unique_ptr<ServerRequest> take_request();
  void give_back(std::unique_ptr<ServerRequest> request);
  // "Date: ...\r\n", made once a second.
  std::string_view date();

  Loop& loop;
  Handler& handler;
  ServerOptions options;
  ServerConnection* first = nullptr;
  ServerConnection* cursor = nullptr;  // where a walk over all goes on; unlink() moves it
  ServerConnection* oldest_idle = nullptr;
  ServerConnection* youngest_idle = nullptr;
  size_t connections = 0;
  size_t exchanges = 0;
  uint64_t held = 0;  // sum of the bodies in hand
  bool draining = false;
  bool cancelled = false;
  std::vector<std::unique_ptr<ServerRequest>> spare_requests;
  std::string head;    // the reply head being written; gone at the next suspension
  std::string outbox;  // what connections have pushed, until the end of this turn
  size_t pushing = 0;  // how many of them
  std::string date_line;
  Nanos date_until = 0;
  std::vector<std::unique_ptr<Listener>> listeners;
  TaskGroup tasks;  // last: its coroutines use all of the above while they are destroyed
};

}  // namespace sluice::net
