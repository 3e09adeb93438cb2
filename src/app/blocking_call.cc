#include "app/blocking_call.h"

#include <optional>
#include <span>
#include <utility>

#include "base/base64.h"
#include "net/loop.h"
#include "net/tls.h"

namespace sluice::app {
namespace {

// How long a wish to stop may go unheard.
constexpr Nanos kTurn = 100 * kMillisecond;

Task<Result<CallAnswer>> send(net::Client& client, const BlockingCall& call, Until until) {
  const std::string_view part = call.body;
  const net::CallRequest request{
      .head = call.head,
      .body = part.empty() ? std::span<const std::string_view>() : std::span(&part, 1)};
  net::CallTrace trace;
  const net::CallTimeouts timeouts;
  Result<net::CallReply> reply = co_await client.call(call.origin, request, timeouts, until, trace);
  if (!reply) co_return std::move(reply).error();
  CallAnswer answer;
  answer.status = reply->head().status;
  answer.etag = reply->head().headers.find("etag").value_or("");
  const Result<std::string_view> body = co_await reply->read_all(call.longest_reply, until);
  if (!body) co_return Error(body.error().outcome(), body.error().message());
  answer.body = std::string(*body);
  co_return answer;
}

Task<void> send_into(std::optional<Result<CallAnswer>>& to, net::Client& client,
                     const BlockingCall& call, Until until) {
  to = co_await send(client, call, until);
}

}  // namespace

Result<CallAnswer> blocking_call(const BlockingCall& call, const std::stop_token& stop) {
  const SystemClock clock;
  net::Loop loop(clock);
  net::Resolver resolver(clock);
  net::Client client(loop, resolver);
  Cancel cancel;
  std::optional<Result<CallAnswer>> answer;
  loop.tasks().spawn(send_into(answer, client, call, Until(loop.after(call.patience), &cancel)));
  while (!answer) {
    if (stop.stop_requested()) cancel.cancel(Outcome::ClientClosed);
    if (!answer) loop.turn(kTurn);
  }
  return *std::move(answer);
}

Result<std::shared_ptr<const net::Origin>> origin_of(const BaseUrl& url, const Proxy& proxy) {
  auto origin = std::make_shared<net::Origin>();
  origin->host = url.host;
  origin->port = url.port;
  if (url.tls) {
    Result<std::shared_ptr<const net::TlsClientContext>> tls = net::TlsClientContext::make({});
    if (!tls) return std::move(tls).error();
    origin->tls = *std::move(tls);
  }
  if (!proxy.direct()) {
    origin->proxy_host = proxy.host;
    origin->proxy_port = proxy.port;
    if (!proxy.credentials.empty())
      origin->proxy_authorization = "Basic " + base64_encode(proxy.credentials.reveal());
  }
  return std::shared_ptr<const net::Origin>(std::move(origin));
}

}  // namespace sluice::app
