#include "net/server.h"

#include <algorithm>
#include <utility>

#include "net/server_connection.h"

namespace sluice::net {
namespace {

// Requests kept for reuse, and the largest buffer kept with one.
constexpr size_t kSpareRequests = 64;
constexpr size_t kSpareBytes = 16 * 1024;
// Connections beyond the limit that are told so; those beyond these are just closed.
constexpr size_t kTurnedAway = 64;

}  // namespace

const RequestHead& ServerExchange::head() const {
  return connection_.request_->head;
}
const std::string& ServerExchange::peer() const {
  return connection_.peer_;
}
Loop& ServerExchange::loop() {
  return connection_.state_.loop;
}
Cancel& ServerExchange::cancel() {
  return connection_.cancel_;
}
Task<Result<std::string_view>> ServerExchange::body() {
  return connection_.read_body();
}
bool ServerExchange::body_arrived() const {
  return connection_.body_ == ServerConnection::Body::Whole;
}
std::string_view ServerExchange::arrived_body() const {
  return connection_.request_->whole_body;
}
Task<Result<void>> ServerExchange::reply(int status, std::string_view headers,
                                         std::string_view body) {
  return connection_.reply(status, headers, body);
}
void ServerExchange::start_stream(int status, std::string_view headers) {
  connection_.start_stream(status, headers);
}
bool ServerExchange::replied() const {
  return connection_.reply_ == ServerConnection::Reply::Sent ||
         connection_.reply_ == ServerConnection::Reply::Aborted;
}

bool ServerExchange::streaming() const {
  return connection_.reply_ == ServerConnection::Reply::Streaming;
}
Task<Result<void>> ServerExchange::send_chunk(std::string_view data) {
  return connection_.send_chunk(data);
}
bool ServerExchange::push_chunk(std::string_view data) {
  return connection_.push_chunk(data);
}
Task<Result<void>> ServerExchange::flush() {
  return connection_.flush();
}
Task<Result<void>> ServerExchange::end_stream(std::string_view trailers) {
  return connection_.end_stream(trailers);
}
void ServerExchange::abort_stream() {
  connection_.abort_stream();
}
void ServerExchange::tap(ReplyTap* tap) {
  connection_.tap_ = tap;
}
Stream& ServerExchange::raw() {
  connection_.reply_ = ServerConnection::Reply::Sent;
  connection_.keep_ = false;
  connection_.chunked_out_ = false;  // nothing of ours marks a cut: abort_stream() must reset
  return *connection_.stream_;
}
void ServerExchange::release_request() {
  connection_.release_request();
}
uint64_t ServerExchange::bytes_in() const {
  return connection_.bytes_in_;
}
uint64_t ServerExchange::bytes_out() const {
  return connection_.bytes_out_;
}

void Server::State::serve(ServerConnection::Arrival arrival) {
  if (connections >= options.max_connections) {
    // Whoever only keeps a connection open gives way to somebody who wants something (C6).
    if (oldest_idle != nullptr) oldest_idle->cancel(Outcome::Overloaded);
  }
  if (connections < options.max_connections) {
    tasks.spawn(ServerConnection::run(*this, std::move(arrival)));
  } else if (arrival.stream != nullptr && connections < options.max_connections + kTurnedAway) {
    tasks.spawn(ServerConnection::turn_away(*this, std::move(arrival)));
  }
}

void Server::State::link(ServerConnection& connection) {
  connection.next_ = first;
  if (first != nullptr) first->previous_ = &connection;
  first = &connection;
  ++connections;
}

void Server::State::unlink(ServerConnection& connection) {
  set_idle(connection, false);
  if (cursor == &connection) cursor = connection.next_;
  if (connection.previous_ != nullptr) connection.previous_->next_ = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  if (first == &connection) first = connection.next_;
  --connections;
}

void Server::State::set_idle(ServerConnection& connection, bool idle) {
  if (connection.idle_ == idle) return;
  connection.idle_ = idle;
  if (idle) {
    connection.older_ = youngest_idle;
    connection.younger_ = nullptr;
    (youngest_idle != nullptr ? youngest_idle->younger_ : oldest_idle) = &connection;
    youngest_idle = &connection;
  } else {
    (connection.older_ != nullptr ? connection.older_->younger_ : oldest_idle) =
        connection.younger_;
    (connection.younger_ != nullptr ? connection.younger_->older_ : youngest_idle) =
        connection.older_;
  }
}

std::unique_ptr<ServerRequest> Server::State::take_request() {
  if (spare_requests.empty()) return std::make_unique<ServerRequest>();
  std::unique_ptr<ServerRequest> request = std::move(spare_requests.back());
  spare_requests.pop_back();
  return request;
}

void Server::State::give_back(std::unique_ptr<ServerRequest> request) {
  if (spare_requests.size() >= kSpareRequests) return;
  if (request->bytes.capacity() > kSpareBytes) request->bytes = ByteBuffer();
  if (request->body.capacity() > kSpareBytes) request->body = ByteBuffer();
  request->bytes.clear();
  request->body.clear();
  request->whole_body = {};
  spare_requests.push_back(std::move(request));
}

Server::Server(Loop& loop, Handler& handler, ServerOptions options)
    : state_(std::make_unique<State>(loop, handler, options)) {}

Server::~Server() = default;

Result<Address> Server::listen(const Address& address, StreamWrapper wrap) {
  State& state = *state_;
  std::shared_ptr<const StreamWrapper> shared;
  if (wrap) shared = std::make_shared<const StreamWrapper>(std::move(wrap));
  auto opened =
      Listener::open(state.loop, address, [&state, shared](std::unique_ptr<Socket> socket) {
        ServerConnection::Arrival arrival;
        if (const auto peer = socket->peer()) arrival.peer = peer->text();
        if (shared != nullptr) {
          arrival.socket = std::move(socket);
          arrival.wrap = shared;
        } else {
          arrival.stream = std::move(socket);
        }
        state.serve(std::move(arrival));
      });
  if (!opened) return std::move(opened).error();
  state.listeners.push_back(std::move(*opened));
  return state.listeners.back()->local_address();
}

void Server::serve(std::unique_ptr<Stream> stream, std::string peer) {
  ServerConnection::Arrival arrival;
  arrival.stream = std::move(stream);
  arrival.peer = std::move(peer);
  state_->serve(std::move(arrival));
}

void Server::set_options(ServerOptions options) {
  state_->options = options;
}

void Server::drain() {
  State& state = *state_;
  for (const auto& listener : state.listeners) listener->accept_queued();
  state.listeners.clear();
  state.draining = true;
  while (state.oldest_idle != nullptr) state.oldest_idle->cancel(Outcome::Draining);
}

bool Server::idle() const {
  return state_->connections == 0;
}

void Server::cancel_all() {
  State& state = *state_;
  state.cancelled = true;
  for (state.cursor = state.first; state.cursor != nullptr;) {
    ServerConnection& connection = *state.cursor;
    state.cursor = connection.next_;
    connection.cancel(Outcome::Draining);
  }
}

size_t Server::connections() const {
  return state_->connections;
}
size_t Server::exchanges() const {
  return state_->exchanges;
}

}  // namespace sluice::net
