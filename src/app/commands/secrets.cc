#include "app/commands/secrets.h"

#include <fmt/format.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "app/commands/table.h"
#include "app/json_node.h"
#include "app/stored_secrets.h"
#include "governance/control_store.h"
#include "wire/json.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;
constexpr std::string_view kSecrets = "/admin/v1/secrets";
constexpr std::string_view kNewKeyVariable = "SLUICE_SECRETS_NEW_KEY";

CommandResult failed(int code, std::string_view message) {
  return {.exit_code = code, .out = "", .err = fmt::format("sluice: {}\n", message)};
}

std::string word_in(const Node& map, std::string_view name) {
  const Node* found = find_member(map, name);
  return found == nullptr ? "" : found->text;
}

std::string table_of(const Node& page) {
  const std::vector<std::string> columns = {"name", "version", "updated_at", "fingerprint",
                                            "in_use"};
  std::vector<std::vector<std::string>> rows{columns};
  const Node* items = find_member(page, "items");
  if (items == nullptr) return "";
  for (const Node& item : items->items) {
    std::vector<std::string> row;
    for (const std::string& column : columns) row.push_back(word_in(item, column));
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

CommandResult shown(const SecretsCommand& command, const AdminReply& reply) {
  using Verb = SecretsCommand::Verb;
  const Result<Node> body = reply.body.empty() ? Node() : node_of_json(reply.body);
  if (!body) return failed(kExitFailed, body.error().message());
  if (reply.status >= 300)
    return failed(reply.status == 400 ? kExitInvalid : kExitFailed, word_in(*body, "detail"));
  if (command.json) return {.exit_code = kExitOk, .out = reply.body, .err = ""};
  if (command.verb == Verb::List) return {.exit_code = kExitOk, .out = table_of(*body), .err = ""};
  const std::string words =
      command.verb == Verb::Delete
          ? fmt::format("{} is deleted.\n", command.name)
          : fmt::format("{} is stored as version {}.\n", command.name, word_in(*body, "version"));
  return {.exit_code = kExitOk, .out = "", .err = words};
}

Result<governance::SecretsKey> needed_key(std::string_view variable, const Surroundings& around) {
  Result<std::optional<governance::SecretsKey>> key = find_secrets_key(around, variable);
  if (!key) return std::move(key).error();
  if (!*key)
    return Error(Outcome::BadRequest, fmt::format("neither {0} nor {0}_FILE is set", variable));
  return *std::move(*key);
}

}  // namespace

CommandResult secrets(SecretsCommand command, const Surroundings& around) {
  using Verb = SecretsCommand::Verb;
  if (command.value.ends_with('\n')) command.value.pop_back();
  if (command.value.ends_with('\r')) command.value.pop_back();
  const Secret value(std::move(command.value));
  if (command.verb == Verb::Set && value.empty())
    return failed(kExitInvalid, "write the value to stdin: `sluice secrets set NAME < FILE`");
  if (!json::is_utf8(value.reveal())) return failed(kExitInvalid, "the value is no text (UTF-8)");
  const Result<AdminClient> client = AdminClient::find(command.access, around);
  if (!client) return failed(kExitFailed, client.error().message());
  const std::string one = fmt::format("{}/{}", kSecrets, command.name);
  const Result<AdminReply> reply =
      command.verb == Verb::List ? client->call("GET", kSecrets)
      : command.verb == Verb::Delete
          ? client->call("DELETE", one)
          : client->call("PUT", one, fmt::format(R"({{"value":{}}})", json_quoted(value.reveal())));
  if (!reply) return failed(kExitFailed, reply.error().message());
  return shown(command, *reply);
}

CommandResult rekey_secrets(const std::string& control, const std::string& actor,
                            const Surroundings& around, const Clock& clock) {
  const auto from = needed_key(kSecretsKeyVariable, around);
  if (!from) return failed(kExitInvalid, from.error().message());
  const auto to = needed_key(kNewKeyVariable, around);
  if (!to) return failed(kExitInvalid, to.error().message());
  if (::access(control.c_str(), F_OK) != 0)
    return failed(kExitInvalid, control + " is not there; --control names the gateway's");
  const Result<size_t> moved =
      governance::rekey_secrets(control, *from, *to, actor, clock.wall_micros());
  if (!moved) return failed(kExitFailed, moved.error().message());
  return {
      .exit_code = kExitOk,
      .out = "",
      .err = fmt::format("{} secrets are sealed with the new key: give it to the gateway as {}, "
                         "and start it anew.\n",
                         *moved, kSecretsKeyVariable)};
}

}  // namespace sluice::app
