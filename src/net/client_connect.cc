#include "net/client_connect.h"

#include <optional>
#include <string>
#include <utility>

#include "net/http1.h"
#include "net/pool.h"
#include "net/refused_address.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

constexpr Nanos kHeadStart = 250 * kMillisecond;

// Attempts to reach one peer at several addresses at once. Shared with a piece of mail to the loop:
// the attempt that wins resumes the coroutine that waits for it, so it is still on the stack when
// that one is through, and must not be destroyed by it.
struct Race {
  TaskGroup attempts;
  Bell news;
  std::unique_ptr<Socket> winner;
  std::optional<Error> error;
  size_t running = 0;
};

Task<void> attempt(Loop& loop, Race& race, Address address, Until until) {
  Result<std::unique_ptr<Socket>> socket = co_await Socket::connect(loop, address, until);
  --race.running;
  if (!socket) {
    race.error.emplace(std::move(socket).error());
  } else if (race.winner == nullptr) {
    race.winner = *std::move(socket);
  }
  race.news.ring();
}

Error refused(const Address& address) {
  return Error(
      Outcome::ConnectError,
      address.ip_text() + " is link-local or holds a cloud's metadata: it is never called");
}

// A proxy resolves names itself; what is written as an address is seen here.
bool names_refused(const Origin& origin) {
  const Result<Address> literal = Address::parse(authority_of(origin.host, origin.port));
  return literal && is_refused(*literal);
}

Error given_up(Until until, const char* during) {
  return Error(until.cancel()->why(), std::string("given up while ") + during);
}

// Asks an HTTP proxy for a way through. The proxy's reply is for people; only its status is shown,
// as it might repeat what we sent.
Task<Result<void>> open_tunnel(Stream& stream, const Origin& origin, Until until) {
  const std::string target = authority_of(origin.host, origin.port);
  const std::string proxy = authority_of(origin.proxy_host, origin.proxy_port);
  std::string request = "CONNECT " + target + " HTTP/1.1\r\n";
  append_header(request, "Host", target);
  if (!origin.proxy_authorization.empty()) {
    append_header(request, "Proxy-Authorization", origin.proxy_authorization);
  }
  request += "\r\n";
  IoResult result = co_await stream.write_all(request, until);
  std::string reply;
  const std::span<char> scratch = stream.readiness().loop().scratch();
  while (result.ok()) {
    result = co_await stream.read_some(scratch, until);
    if (!result.ok()) break;
    reply.append(scratch.data(), result.bytes);
    ResponseHead head;
    const HeadParse parse = parse_response_head(reply, HeadLimits(), true, head);
    if (parse.status == HeadParse::Status::NeedMore) continue;
    if (parse.status == HeadParse::Status::Bad) {
      co_return Error(Outcome::ConnectError,
                      "the proxy " + proxy + " gave no HTTP reply to CONNECT: " + parse.reason);
    }
    if (head.status < 200) {
      reply.erase(0, parse.consumed);
      continue;
    }
    if (head.status < 300 && parse.consumed == reply.size()) co_return Result<void>();
    std::string why = "the proxy " + proxy + " refused CONNECT to " + target + ": " +
                      std::string(status_line_text(head.status));
    if (head.status == 407) why += ": set user and password in the proxy's URL";
    co_return Error(Outcome::ConnectError, std::move(why));
  }
  if (result.status == IoStatus::Cancelled) co_return given_up(until, "asking the proxy");
  if (result.status == IoStatus::Timeout) {
    co_return Error(Outcome::ConnectTimeout, "the proxy " + proxy + " took too long over CONNECT");
  }
  co_return Error(Outcome::ConnectError,
                  "the proxy " + proxy + " closed the connection instead of answering CONNECT");
}

Task<Result<std::unique_ptr<Stream>>> open_within(Loop& loop, Resolver& resolver,
                                                  const Origin& origin, Until until) {
  const bool proxied = !origin.proxy_host.empty();
  if (names_refused(origin))
    co_return refused(*Address::parse(authority_of(origin.host, origin.port)));
  Result<std::vector<Address>> addresses =
      co_await resolver.resolve(loop, proxied ? origin.proxy_host : origin.host,
                                proxied ? origin.proxy_port : origin.port, until);
  if (!addresses) co_return std::move(addresses).error();
  Result<std::unique_ptr<Socket>> socket =
      co_await connect_to_any(loop, *std::move(addresses), until);
  if (!socket) co_return std::move(socket).error();
  std::unique_ptr<Stream> stream = *std::move(socket);
  if (origin.tls == nullptr) co_return std::move(stream);
  if (proxied) {
    Result<void> tunnel = co_await open_tunnel(*stream, origin, until);
    if (!tunnel) co_return std::move(tunnel).error();
  }
  const std::string& name = origin.server_name.empty() ? origin.host : origin.server_name;
  co_return co_await origin.tls->connect(std::move(stream), name, until);
}

}  // namespace

Task<Result<std::unique_ptr<Socket>>> connect_to_any(Loop& loop, std::vector<Address> addresses,
                                                     Until until) {
  const Address first = addresses.front();
  std::erase_if(addresses, is_refused);
  if (addresses.empty()) co_return refused(first);
  if (addresses.size() == 1) co_return co_await Socket::connect(loop, addresses.front(), until);
  const auto race = std::make_shared<Race>();
  size_t next = 0;
  while (race->winner == nullptr) {
    const bool more = next < addresses.size();
    if (more) {
      ++race->running;
      // The whole's cancel is listened to here: an attempt ends with the race.
      race->attempts.spawn(attempt(loop, *race, addresses[next++], Until(until.deadline())));
    } else if (race->running == 0) {
      Error error = std::move(*race->error);
      loop.post([race] { race->attempts.clear(); });
      co_return std::move(error);
    }
    const bool last = next == addresses.size();
    const Until patience = last ? until : until.earlier(loop.after(kHeadStart));
    const size_t running = race->running;
    while (race->winner == nullptr && race->running > 0 && race->running >= running) {
      const Wake wake = co_await race->news.listen(loop, patience);
      if (wake == Wake::Cancelled) co_return given_up(until, "connecting");
      if (wake == Wake::Timeout) break;
    }
    if (race->winner == nullptr && until.deadline().passed(loop.now())) {
      // Not here: it may be an attempt that woke us, from within itself.
      loop.post([race] { race->attempts.clear(); });
      co_return Error(Outcome::ConnectTimeout, "connecting to " + addresses.front().text() +
                                                   " and its other addresses took too long");
    }
  }
  std::unique_ptr<Socket> winner = std::move(race->winner);
  loop.post([race] { race->attempts.clear(); });
  co_return std::move(winner);
}

Task<Result<std::unique_ptr<Stream>>> open_connection(Loop& loop, Resolver& resolver,
                                                      const Origin& origin, Nanos timeout,
                                                      Until until) {
  const Deadline limit = loop.after(timeout);
  Result<std::unique_ptr<Stream>> stream =
      co_await open_within(loop, resolver, origin, until.earlier(limit));
  if (!stream && stream.error().outcome() == Outcome::ConnectTimeout &&
      until.deadline().when() <= limit.when()) {
    co_return Error(Outcome::TotalTimeout, stream.error().message());
  }
  co_return std::move(stream);
}

}  // namespace sluice::net
