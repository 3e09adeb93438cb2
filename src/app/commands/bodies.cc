#include "app/commands/bodies.h"

#include <charconv>
#include <fmt/format.h>

#include "app/commands/refusal.h"
#include "app/json_node.h"
#include "base/percent.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;

CommandResult failed(int code, std::string_view message) {
  return {.exit_code = code, .out = "", .err = fmt::format("sluice: {}\n", message)};
}

// Of {"removed":12,"more":false}.
struct Removed {
  int64_t rows = 0;
  bool more = false;
};

Result<Removed> removed_in(const std::string& body) {
  const Result<Node> read = node_of_json(body);
  const Node* rows = read ? find_member(*read, "removed") : nullptr;
  const Node* more = read ? find_member(*read, "more") : nullptr;
  Removed removed;
  if (rows == nullptr || more == nullptr ||
      std::from_chars(rows->text.data(), rows->text.data() + rows->text.size(), removed.rows).ec !=
          std::errc())
    return Error(Outcome::Bug, "the gateway answered something else than was asked");
  removed.more = more->text == "true";
  return removed;
}

}  // namespace

CommandResult show_bodies(const BodiesCommand& command, const Surroundings& around) {
  const Result<AdminClient> client = AdminClient::find(command.access, around);
  if (!client) return failed(kExitFailed, client.error().message());
  const Result<AdminReply> reply = client->call(
      "GET", fmt::format("/admin/v1/exchanges/{}/content", percent_encoded(command.request_id)));
  if (!reply) return failed(kExitFailed, reply.error().message());
  if (reply->status != 200) return refusal(*reply);
  return {.exit_code = kExitOk, .out = reply->body, .err = ""};
}

CommandResult forget_bodies(const BodiesCommand& command, const Surroundings& around) {
  if (command.key.empty() == command.user.empty())
    return failed(kExitInvalid, "say --key NAME or --user NAME");
  const Result<AdminClient> client = AdminClient::find(command.access, around);
  if (!client) return failed(kExitFailed, client.error().message());
  const std::string path =
      fmt::format("/admin/v1/content?{}={}", command.key.empty() ? "user" : "key",
                  percent_encoded(command.key + command.user));
  Removed all{.rows = 0, .more = true};
  while (all.more) {
    const Result<AdminReply> reply = client->call("DELETE", path);
    if (!reply) return failed(kExitFailed, reply.error().message());
    if (reply->status != 200) return refusal(*reply);
    const Result<Removed> piece = removed_in(reply->body);
    if (!piece) return failed(kExitFailed, piece.error().message());
    all.rows += piece->rows;
    all.more = piece->more;
  }
  return {.exit_code = kExitOk, .out = fmt::format("{}\n", all.rows), .err = ""};
}

}  // namespace sluice::app
