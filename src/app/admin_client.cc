#include "app/admin_client.h"

#include <fmt/format.h>
#include <optional>
#include <span>
#include <utility>

#include "app/config.h"
#include "app/config_value.h"
#include "base/time.h"
#include "net/client.h"
#include "net/loop.h"

namespace sluice::app {
namespace {

constexpr Nanos kPatience = 30 * kSecond;
constexpr uint64_t kLongestReply = 16 << 20;
constexpr std::string_view kTokenVariable = "SLUICE_ADMIN_TOKEN";

struct Whereabouts {
  Address address{.host = "127.0.0.1", .port = 8081};
  std::string data_dir = "./sluice-data";
};

Result<Whereabouts> whereabouts_of(const AdminAccess& access, const Surroundings& around) {
  Whereabouts place;
  if (!access.config_file.empty()) {
    const LoadOutcome outcome = load(input_from(access.config_file, around));
    if (!outcome.loaded)
      return Error(Outcome::BadRequest, access.config_file + " is not valid; `sluice check " +
                                            access.config_file + "` says why");
    place.address = outcome.loaded->settings.server.admin_listen;
    place.data_dir = outcome.loaded->settings.server.data_dir;
    // What listens everywhere also listens here.
    if (place.address.host == "0.0.0.0") place.address.host = "127.0.0.1";
    if (place.address.host == "::") place.address.host = "::1";
  }
  if (!access.data_dir.empty()) place.data_dir = access.data_dir;
  if (!access.address.empty()) {
    if (const auto fault = assign(place.address, access.address, {}))
      return Error(Outcome::BadRequest, "--admin: " + fault->message);
  }
  return place;
}

Result<Secret> find_token(const std::string& data_dir, const Surroundings& around) {
  if (const auto given = around.env(kTokenVariable); given && !given->empty())
    return Secret(*given);
  const std::string path = data_dir + "/admin-token";
  Result<std::string> content = around.read_file(path);
  if (!content) {
    return Error(Outcome::BadRequest,
                 fmt::format("no admin token: {} is not set, and {} cannot be read ({}); "
                             "--config or --data-dir says where the gateway keeps it",
                             kTokenVariable, path, content.error().message()));
  }
  while (content->ends_with('\n')) content->pop_back();
  return Secret(*std::move(content));
}

Task<Result<AdminReply>> send(net::Client& client, std::shared_ptr<const net::Origin> origin,
                              const net::CallRequest& request, Until until) {
  net::CallTrace trace;
  const net::CallTimeouts timeouts;
  Result<net::CallReply> reply =
      co_await client.call(std::move(origin), request, timeouts, until, trace);
  if (!reply) co_return std::move(reply).error();
  AdminReply answer;
  answer.status = reply->head().status;
  const Result<std::string_view> body = co_await reply->read_all(kLongestReply, until);
  if (!body) co_return Error(body.error().outcome(), body.error().message());
  answer.body = std::string(*body);
  co_return answer;
}

Task<void> send_into(std::optional<Result<AdminReply>>& to, net::Client& client,
                     std::shared_ptr<const net::Origin> origin, const net::CallRequest& request,
                     Until until) {
  to = co_await send(client, std::move(origin), request, until);
}

}  // namespace

Result<AdminClient> AdminClient::find(const AdminAccess& access, const Surroundings& around) {
  const Result<Whereabouts> place = whereabouts_of(access, around);
  if (!place) return Error(place.error().outcome(), place.error().message());
  Result<Secret> token = find_token(place->data_dir, around);
  if (!token) return std::move(token).error();
  return AdminClient(place->address.host, place->address.port, *std::move(token));
}

Result<AdminReply> AdminClient::call(std::string_view method, std::string_view path,
                                     const std::string& body) const {
  const SystemClock clock;
  net::Loop loop(clock);
  net::Resolver resolver(clock);
  net::Client client(loop, resolver);
  auto origin = std::make_shared<net::Origin>();
  origin->host = host_;
  origin->port = port_;
  const std::string head = fmt::format(
      "{} {} HTTP/1.1\r\naccept: application/json\r\ncontent-type: application/json\r\n"
      "authorization: Bearer {}\r\n",
      method, path, token_.reveal());
  const std::string_view part = body;
  const net::CallRequest request{
      .head = head,
      .body = body.empty() ? std::span<const std::string_view>() : std::span(&part, 1)};
  std::optional<Result<AdminReply>> reply;
  loop.tasks().spawn(send_into(reply, client, origin, request, Until(loop.after(kPatience))));
  while (!reply) loop.turn(kSecond);
  if (*reply) return *std::move(reply);
  const Error& error = reply->error();
  const bool nobody = error.outcome() == Outcome::ConnectError;
  return Error(error.outcome(),
               fmt::format("{} at {}:{}: {}", nobody ? "no gateway is running" : "the admin API",
                           host_, port_,
                           nobody ? "start it with `sluice serve`, or name another's admin "
                                    "address with --admin or --config"
                                  : error.message()));
}

}  // namespace sluice::app
