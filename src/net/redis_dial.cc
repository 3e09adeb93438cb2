#include "net/redis_dial.h"

#include <optional>
#include <utility>

#include "net/client_connect.h"
#include "net/redis_command.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

Error io_error(const RedisEndpoint& peer, const IoResult& result, Until until) {
  switch (result.status) {
    case IoStatus::Cancelled:
      return Error(until.cancel()->why(), "given up while talking to Redis");
    case IoStatus::Timeout:
      return Error(Outcome::ConnectTimeout, peer.text() + " did not answer the login in time");
    default:
      return Error(Outcome::UpstreamReset, peer.text() + " closed the connection during the login");
  }
}

std::string wire_of(const RedisCommand& command) {
  std::string wire;
  command.append_to(wire);
  return wire;
}

// The words of an error reply to AUTH may repeat what we sent: only its code word is shown.
Error login_error(const RedisEndpoint& peer, const RedisReply& reply) {
  const Error said = redis_error(reply.text);
  return Error(Outcome::UpstreamAuth, peer.text() + " refused the login (" + said.param() + ")",
               "NOAUTH");
}

}  // namespace

Task<Result<std::vector<RedisReply>>> exchange(RedisLink& link, std::string wire, size_t count,
                                               Until until) {
  IoResult result = co_await link.stream->write_all(wire, until);
  // A server that takes no clients says why before it hangs up, whether we get to write or not.
  if (result.status == IoStatus::Failed) result.status = IoStatus::Ok;
  std::vector<RedisReply> replies;
  const std::span<char> scratch = link.stream->readiness().loop().scratch();
  while (result.ok()) {
    Result<std::optional<RedisReply>> reply = link.reader.next();
    if (!reply) co_return std::move(reply).error();
    if (reply->has_value()) {
      replies.push_back(**std::move(reply));
      if (replies.size() == count) co_return std::move(replies);
      continue;
    }
    result = co_await link.stream->read_some(scratch, until);
    if (result.ok()) link.reader.feed({scratch.data(), result.bytes});
  }
  if (!replies.empty() && replies.back().is_error()) co_return redis_error(replies.back().text);
  co_return io_error(link.peer, result, until);
}

Task<Result<RedisLink>> RedisDialer::dial(Until until) {
  std::optional<Error> error;
  for (size_t tried = 0; tried < endpoints_.size(); ++tried) {
    const size_t index = (first_ + tried) % endpoints_.size();
    const Until limit = until.earlier(loop_.after(options_.connect));
    Result<RedisLink> link = co_await open_by_way_of(endpoints_[index], limit);
    if (link) {
      first_ = index;
      co_return std::move(link);
    }
    error.emplace(std::move(link).error());
    if (error->outcome() == Outcome::TotalTimeout) {
      error.emplace(Outcome::ConnectTimeout, error->message());
    }
    if (until.cancel() != nullptr && until.cancel()->cancelled()) break;
  }
  co_return error ? *std::move(error) : Error(Outcome::ConnectError, "no Redis server is named");
}

Task<Result<RedisLink>> RedisDialer::open_by_way_of(RedisEndpoint endpoint, Until until) {
  return options_.url.mode == RedisUrl::Mode::Sentinel ? open_master(std::move(endpoint), until)
                                                       : open_server(std::move(endpoint), until);
}

Task<Result<RedisLink>> RedisDialer::open(RedisEndpoint endpoint, Until until) {
  RedisLink link;
  link.peer = endpoint;
  if (endpoint.port == 0) {
    Result<std::unique_ptr<Socket>> socket =
        co_await Socket::connect(loop_, Address::unix_socket(endpoint.host), until);
    if (!socket) co_return std::move(socket).error();
    link.stream = *std::move(socket);
    co_return std::move(link);
  }
  if (options_.url.tls != (options_.tls != nullptr)) {
    co_return Error(Outcome::TlsError, "the URL and the settings for TLS contradict each other");
  }
  Origin origin;
  origin.host = endpoint.host;
  origin.port = endpoint.port;
  origin.tls = options_.tls;
  Result<std::unique_ptr<Stream>> stream =
      co_await open_connection(loop_, resolver_, origin, options_.connect, until);
  if (!stream) co_return std::move(stream).error();
  link.stream = *std::move(stream);
  co_return std::move(link);
}

Task<Result<void>> RedisDialer::log_in(RedisLink& link, Login as, Until until) {
  const RedisUrl& url = options_.url;
  if (!url.password.empty()) {
    RedisCommand auth("AUTH");
    if (!url.user.empty()) auth.add(url.user);
    auth.add(url.password.reveal());
    Result<std::vector<RedisReply>> replies = co_await exchange(link, wire_of(auth), 1, until);
    if (!replies) co_return std::move(replies).error();
    if (replies->front().is_error()) co_return login_error(link.peer, replies->front());
  }
  if (as == Login::Sentinel) co_return Result<void>();
  // A user may lack the right to name itself: the first reply alone may be an error.
  std::string wire = wire_of(RedisCommand("CLIENT", "SETNAME", "sluice"));
  const bool select = url.db != 0;
  if (select) wire += wire_of(RedisCommand("SELECT", url.db));
  wire += wire_of(RedisCommand("PING"));
  Result<std::vector<RedisReply>> replies =
      co_await exchange(link, std::move(wire), select ? 3 : 2, until);
  if (!replies) co_return std::move(replies).error();
  for (size_t i = 1; i < replies->size(); ++i) {
    if ((*replies)[i].is_error()) co_return redis_error((*replies)[i].text);
  }
  co_return Result<void>();
}

Task<Result<RedisLink>> RedisDialer::open_server(RedisEndpoint endpoint, Until until) {
  Result<RedisLink> link = co_await open(std::move(endpoint), until);
  if (!link) co_return std::move(link);
  Result<void> in = co_await log_in(*link, Login::Server, until);
  if (!in) co_return std::move(in).error();
  co_return std::move(link);
}

Task<Result<RedisEndpoint>> RedisDialer::ask_sentinel(RedisEndpoint sentinel, Until until) {
  Result<RedisLink> link = co_await open(sentinel, until);
  if (!link) co_return std::move(link).error();
  const std::string question =
      wire_of(RedisCommand("SENTINEL", "get-master-addr-by-name", options_.url.service));
  Result<std::vector<RedisReply>> replies = co_await exchange(*link, question, 1, until);
  if (replies && replies->front().is_error() && replies->front().text.starts_with("NOAUTH")) {
    Result<void> in = co_await log_in(*link, Login::Sentinel, until);
    if (!in) co_return std::move(in).error();
    replies = co_await exchange(*link, question, 1, until);
  }
  if (!replies) co_return std::move(replies).error();
  const RedisReply& reply = replies->front();
  if (reply.is_error()) co_return redis_error(reply.text);
  const std::optional<int64_t> port =
      reply.items.size() == 2 ? reply.items[1].number_of() : std::nullopt;
  if (!port || *port < 1 || *port > 65535 || !reply.items[0].string()) {
    co_return Error(Outcome::ConnectError, "the sentinel " + sentinel.text() +
                                               " knows no master '" + options_.url.service + "'");
  }
  RedisEndpoint master;
  master.host = reply.items[0].text;
  master.port = static_cast<uint16_t>(*port);
  co_return std::move(master);
}

Task<Result<RedisLink>> RedisDialer::open_master(RedisEndpoint sentinel, Until until) {
  Result<RedisEndpoint> master = co_await ask_sentinel(std::move(sentinel), until);
  if (!master) co_return std::move(master).error();
  Result<RedisLink> link = co_await open_server(*std::move(master), until);
  if (!link) co_return std::move(link);
  // A sentinel that was cut off may still name the old one.
  Result<std::vector<RedisReply>> role =
      co_await exchange(*link, wire_of(RedisCommand("ROLE")), 1, until);
  if (!role) co_return std::move(role).error();
  const RedisReply& reply = role->front();
  if (reply.is_error()) co_return redis_error(reply.text);
  if (reply.items.empty() || reply.items[0].text != "master") {
    co_return Error(Outcome::ConnectError,
                    link->peer.text() + " is not the master that a sentinel says it is");
  }
  co_return std::move(link);
}

}  // namespace sluice::net
