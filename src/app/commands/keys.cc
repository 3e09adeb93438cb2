#include "app/commands/keys.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "app/commands/refusal.h"
#include "app/commands/table.h"
#include "app/json_node.h"
#include "governance/virtual_key.h"

namespace sluice::app {
namespace {

constexpr int kExitFailed = 1;
constexpr std::string_view kKeys = "/admin/v1/keys";
constexpr std::string_view kTokens = "/admin/v1/admin_tokens";

CommandResult failed(int code, std::string_view message) {
  return {.exit_code = code, .out = "", .err = fmt::format("sluice: {}\n", message)};
}

Node map_node() {
  Node node;
  node.kind = Node::Kind::Map;
  return node;
}

Node plain(std::string text) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.text = std::move(text);
  return node;
}

// "10/month" is a budget called "month"; "daily=5/day" one called "daily".
std::optional<std::string> add_budget(Node& budgets, const std::string& text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string::npos || slash + 1 == text.size()) {
    return fmt::format(
        "--budget takes dollars per day, week, month or total, such as 10/month, "
        "not '{}'",
        text);
  }
  const std::string per = text.substr(slash + 1);
  const size_t equals = text.find('=');
  const bool named = equals != std::string::npos && equals < slash;
  const size_t from = named ? equals + 1 : 0;
  Node budget = map_node();
  set_member(budget, "amount", text_node(text.substr(from, slash - from)));
  set_member(budget, "per", text_node(per));
  set_member(budgets, named ? text.substr(0, equals) : per, std::move(budget));
  return std::nullopt;
}

// The body of a request; `fault`: which flag cannot be read.
Node body_of(const KeyFields& fields, std::optional<std::string>& fault) {
  Node body = map_node();
  const auto words = [&body](std::string_view name, const std::string& value) {
    if (!value.empty()) set_member(body, name, text_node(value));
  };
  const auto list = [&body](std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    Node node;
    node.kind = Node::Kind::List;
    for (const std::string& value : values) node.items.push_back(text_node(value));
    set_member(body, name, std::move(node));
  };
  const auto number = [&body](std::string_view name, const std::optional<int64_t>& value) {
    if (value) set_member(body, name, plain(std::to_string(*value)));
  };
  for (const std::string& field : fields.cleared) set_member(body, field, Node());
  words("team", fields.team);
  words("environment", fields.environment);
  words("expires", fields.expires);
  list("models", fields.models);
  list("providers", fields.providers);
  list("tiers", fields.tiers);
  list("tasks", fields.tasks);
  list("endpoints", fields.endpoints);
  list("addresses", fields.addresses);
  number("requests_per_minute", fields.requests_per_minute);
  number("tokens_per_minute", fields.tokens_per_minute);
  number("parallel", fields.parallel);
  if (fields.restricted) set_member(body, "restricted", plain("true"));
  if (fields.keep_bodies) set_member(body, "keep_bodies", plain("true"));
  Node budgets = map_node();
  for (const std::string& text : fields.budgets)
    if (auto wrong = add_budget(budgets, text)) fault = std::move(wrong);
  if (!budgets.keys.empty()) set_member(body, "budgets", std::move(budgets));
  Node metadata = map_node();
  for (const std::string& text : fields.metadata) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) {
      fault = fmt::format("--metadata takes NAME=VALUE, not '{}'", text);
      break;
    }
    set_member(metadata, text.substr(0, equals), text_node(text.substr(equals + 1)));
  }
  if (!metadata.keys.empty()) set_member(body, "metadata", std::move(metadata));
  return body;
}

std::string word_in(const Node& map, std::string_view name) {
  const Node* found = find_member(map, name);
  if (found == nullptr || found->kind == Node::Kind::Null) return "";
  if (found->kind == Node::Kind::Scalar) return found->text;
  std::string words;
  for (const Node& item : found->items) words += (words.empty() ? "" : ",") + item.text;
  return words;
}

std::string lines_of(const Node& object) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < object.keys.size(); ++i) {
    const Node& value = object.items[i];
    const bool plain_word = value.kind == Node::Kind::Scalar;
    if (value.kind == Node::Kind::Null) continue;
    if (value.kind != Node::Kind::Scalar && value.items.empty()) continue;
    rows.push_back({object.keys[i].name, plain_word ? value.text : compact_json(value)});
  }
  return table_text(rows);
}

std::string table_of(const Node& page, const std::vector<std::string>& columns) {
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

// All pages as one, so that nobody has to follow cursors by hand.
Result<AdminReply> all_pages(const AdminClient& client, std::string_view path) {
  Node whole = map_node();
  Node items;
  items.kind = Node::Kind::List;
  std::string cursor;
  for (;;) {
    const std::string query = cursor.empty() ? "" : "&cursor=" + cursor;
    Result<AdminReply> reply = client.call("GET", fmt::format("{}?limit=1000{}", path, query));
    if (!reply || reply->status != 200) return reply;
    Result<Node> page = node_of_json(reply->body);
    if (!page) return std::move(page).error();
    if (Node* found = find_member(*page, "items"); found != nullptr)
      std::move(found->items.begin(), found->items.end(), std::back_inserter(items.items));
    cursor = word_in(*page, "next_cursor");
    if (cursor.empty()) break;
  }
  set_member(whole, "items", std::move(items));
  return AdminReply{.status = 200, .body = compact_json(whole) + "\n"};
}

struct Ask {
  std::string_view method;
  std::string path;
  std::string body;
};

Ask ask_for(const KeysCommand& command, std::optional<std::string>& fault) {
  using Verb = KeysCommand::Verb;
  const std::string one = fmt::format("{}/{}", kKeys, command.name);
  Node body = body_of(command.fields, fault);
  switch (command.verb) {
    case Verb::Create:
      set_member(body, "name", text_node(command.name));
      return {"POST", std::string(kKeys), compact_json(body)};
    case Verb::Change:
      return {"PATCH", one, compact_json(body)};
    case Verb::Rotate: {
      Node rotation = map_node();
      if (!command.grace.empty()) set_member(rotation, "grace", text_node(command.grace));
      return {"POST", one + "/rotate", compact_json(rotation)};
    }
    case Verb::Revoke:
      return {"POST", one + "/revoke", ""};
    case Verb::Delete:
      return {"DELETE", one, ""};
    case Verb::Show:
      return {"GET", one, ""};
    case Verb::List:
      break;
  }
  return {"GET", std::string(kKeys), ""};
}

// The reply as people and scripts want it. `secret`: the member that is told once.
CommandResult told_once(const AdminReply& reply, std::string_view secret, bool json,
                        std::string_view words) {
  if (json) return {.exit_code = kExitOk, .out = reply.body, .err = ""};
  const Result<Node> object = node_of_json(reply.body);
  const std::string text = object ? word_in(*object, secret) : "";
  return {
      .exit_code = kExitOk,
      .out = text + "\n",
      .err = fmt::format("{} It is shown this once; the gateway keeps only its digest.\n", words)};
}

CommandResult show_keys(const KeysCommand& command, const AdminReply& reply) {
  using Verb = KeysCommand::Verb;
  if (command.verb == Verb::Delete)
    return {.exit_code = kExitOk, .out = "", .err = command.name + " is deleted.\n"};
  if (command.verb == Verb::Create)
    return told_once(reply, "key", command.json, command.name + " is made.");
  if (command.verb == Verb::Rotate) {
    const std::string old =
        command.grace.empty() ? "opens nothing any more" : "is good for " + command.grace + " more";
    return told_once(reply, "key", command.json,
                     fmt::format("{} has a new text; the old one {}.", command.name, old));
  }
  if (command.json) return {.exit_code = kExitOk, .out = reply.body, .err = ""};
  const Result<Node> object = node_of_json(reply.body);
  if (!object) return failed(kExitFailed, object.error().message());
  if (command.verb == Verb::List) {
    return {.exit_code = kExitOk,
            .out = table_of(*object, {"name", "state", "shown", "team", "environment", "expires",
                                      "models", "source"}),
            .err = ""};
  }
  return {.exit_code = kExitOk, .out = lines_of(*object), .err = ""};
}

}  // namespace

CommandResult keys(const KeysCommand& command, const Surroundings& around) {
  std::optional<std::string> fault;
  const Ask ask = ask_for(command, fault);
  if (fault) return failed(kExitInvalid, *fault);
  const Result<AdminClient> client = AdminClient::find(command.access, around);
  if (!client) return failed(kExitFailed, client.error().message());
  const Result<AdminReply> reply = command.verb == KeysCommand::Verb::List
                                       ? all_pages(*client, kKeys)
                                       : client->call(ask.method, ask.path, ask.body);
  if (!reply) return failed(kExitFailed, reply.error().message());
  if (reply->status >= 300) return refusal(*reply);
  return show_keys(command, *reply);
}

CommandResult key_digest(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  const Secret key(std::move(text));
  if (key.empty())
    return failed(kExitInvalid, "write the key to stdin: `sluice keys digest < FILE`");
  return {.exit_code = kExitOk,
          .out = governance::hex_of(governance::sha256_of(key.reveal())) + "\n",
          .err = ""};
}

CommandResult admin_tokens(const TokenCommand& command, const Surroundings& around) {
  using Verb = TokenCommand::Verb;
  const Result<AdminClient> client = AdminClient::find(command.access, around);
  if (!client) return failed(kExitFailed, client.error().message());
  Node body = map_node();
  set_member(body, "name", text_node(command.name));
  set_member(body, "role", text_node(command.role));
  const Result<AdminReply> reply =
      command.verb == Verb::List ? client->call("GET", kTokens)
      : command.verb == Verb::Create
          ? client->call("POST", kTokens, compact_json(body))
          : client->call("DELETE", fmt::format("{}/{}", kTokens, command.name));
  if (!reply) return failed(kExitFailed, reply.error().message());
  if (reply->status >= 300) return refusal(*reply);
  if (command.verb == Verb::Create)
    return told_once(*reply, "token", command.json, command.name + " may use the admin API.");
  if (command.verb == Verb::Delete)
    return {.exit_code = kExitOk, .out = "", .err = command.name + " is deleted.\n"};
  if (command.json) return {.exit_code = kExitOk, .out = reply->body, .err = ""};
  const Result<Node> page = node_of_json(reply->body);
  if (!page) return failed(kExitFailed, page.error().message());
  return {.exit_code = kExitOk, .out = table_of(*page, {"name", "role", "created_at"}), .err = ""};
}

}  // namespace sluice::app
