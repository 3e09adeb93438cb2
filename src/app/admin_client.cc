#include "app/admin_client.h"

#include <fmt/format.h>
#include <utility>

#include "app/blocking_call.h"
#include "app/config.h"
#include "app/config_value.h"

namespace sluice::app {
namespace {

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
  auto origin = std::make_shared<net::Origin>();
  origin->host = host_;
  origin->port = port_;
  Result<CallAnswer> reply = blocking_call(
      {.origin = std::move(origin),
       .head = fmt::format("{} {} HTTP/1.1\r\naccept: application/json\r\n"
                           "content-type: application/json\r\nauthorization: Bearer {}\r\n",
                           method, path, token_.reveal()),
       .body = body});
  if (reply) return AdminReply{.status = reply->status, .body = std::move(reply->body)};
  const Error& error = reply.error();
  const bool nobody = error.outcome() == Outcome::ConnectError;
  return Error(error.outcome(),
               fmt::format("{} at {}:{}: {}", nobody ? "no gateway is running" : "the admin API",
                           host_, port_,
                           nobody ? "start it with `sluice serve`, or name another's admin "
                                    "address with --admin or --config"
                                  : error.message()));
}

}  // namespace sluice::app
