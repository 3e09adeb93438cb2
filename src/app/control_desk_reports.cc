// What the admin API tells: budgets as they stand, the audit chain, and who may use the API.
#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "app/config_diagnostic.h"
#include "app/config_value.h"
#include "app/control_desk.h"
#include "app/json_node.h"
#include "base/money.h"
#include "base/text_out.h"

namespace sluice::app {
namespace {

using api::AdminAnswer;
using api::AdminCall;
using api::problem;
using governance::Account;
using governance::ControlStore;
using governance::StoredToken;

constexpr int64_t kPage = 100;
constexpr int64_t kLongestPage = 1000;

std::string time_text(int64_t micros) {
  char text[kTimestampBound];
  const char* const end = put_timestamp(text, micros);
  return {text, static_cast<size_t>(end - text)};
}

// Nothing: what was asked is no page size.
std::optional<int64_t> limit_of(const AdminCall& call) {
  int64_t limit = kPage;
  const std::string_view asked = call.asked("limit");
  if (!asked.empty() && assign(limit, asked, {1, kLongestPage})) return std::nullopt;
  return limit;
}

AdminAnswer bad_limit() {
  return problem(400, "bad_parameter", fmt::format("limit takes 1 to {}", kLongestPage));
}

void append_budget(std::string& out, const governance::BudgetState& budget) {
  const auto dollars = [&out](std::string_view name, NanoDollars amount) {
    out += name;
    append_decimal(out, amount, kMoneyDecimals);
  };
  out += fmt::format(R"({{"level":"{}","subject":{},"name":{},"per":"{}","kind":"{}")",
                     governance::name_of(budget.level), json_quoted(budget.subject),
                     json_quoted(budget.name), governance::name_of(budget.period),
                     budget.hard ? "hard" : "soft");
  dollars(",\"limit\":", budget.limit);
  dollars(",\"spent\":", budget.spent);
  dollars(",\"reserved\":", budget.reserved);
  const bool ends = budget.resets_micros != std::numeric_limits<int64_t>::max();
  out += ",\"resets_at\":" + (ends ? json_quoted(time_text(budget.resets_micros)) : "null");
  out += fmt::format(R"(,"step":"{}"}})", governance::name_of(budget.step));
}

std::string token_json(const StoredToken& token) {
  return fmt::format(R"({{"name":{},"role":"{}","created_at":{}}})", json_quoted(token.name),
                     governance::name_of(token.role), json_quoted(time_text(token.created_micros)));
}

}  // namespace

AdminAnswer ControlDesk::budgets(const AdminCall& call) {
  const std::optional<int64_t> limit = limit_of(call);
  if (!limit) return bad_limit();
  const std::string_view level = call.asked("level");
  const std::string_view subject = call.asked("subject");
  const std::string_view cursor = call.asked("cursor");
  std::vector<std::shared_ptr<Account>> found;
  bool known_level = level.empty();
  for (size_t i = 0; i < governance::kLevelCount; ++i) {
    const auto each = static_cast<governance::Level>(i);
    known_level |= governance::name_of(each) == level;
    if (!level.empty() && governance::name_of(each) != level) continue;
    for (auto& account : parts_.governance.accounts().all(each))
      if (account->demands().cost && (subject.empty() || account->subject() == subject))
        found.push_back(std::move(account));
  }
  if (!known_level)
    return problem(400, "bad_parameter", "level takes organisation, team, key or user");
  const auto place = [](const std::shared_ptr<Account>& account) {
    return governance::ledger_name(account->level(), account->subject());
  };
  auto from = found.begin();
  if (!cursor.empty()) {
    from = std::find_if(found.begin(), found.end(),
                        [&](const auto& account) { return place(account) == cursor; });
    if (from == found.end()) return problem(400, "bad_parameter", "this cursor leads nowhere");
    ++from;
  }
  const auto until = found.end() - from > *limit ? from + *limit : found.end();
  std::string body = "{\"items\":[";
  for (auto account = from; account != until; ++account) {
    for (const governance::BudgetState& budget : (*account)->budgets(now())) {
      if (body.back() != '[') body += ',';
      append_budget(body, budget);
    }
  }
  const bool more = until != found.end();
  body += "],\"next_cursor\":" + (more ? json_quoted(place(*(until - 1))) : "null") + "}\n";
  return {.status = 200, .body = std::move(body)};
}

AdminAnswer ControlDesk::audit(const AdminCall& call) {
  const std::optional<int64_t> limit = limit_of(call);
  if (!limit) return bad_limit();
  int64_t before = std::numeric_limits<int64_t>::max();
  const std::string_view cursor = call.asked("cursor");
  if (!cursor.empty() && assign(before, cursor, {1}))
    return problem(400, "bad_parameter", "this cursor leads nowhere");
  const auto entries =
      governance::latest_audit(store_.database(), before, static_cast<size_t>(*limit));
  if (!entries) return problem(503, "store_unavailable", "the audit chain cannot be read");
  std::string body = "{\"items\":[";
  for (const governance::AuditEntry& entry : *entries) {
    if (body.back() != '[') body += ',';
    governance::append_entry(body, entry);
  }
  const bool more = !entries->empty() && entries->back().seq > 1;
  body +=
      "],\"next_cursor\":" + (more ? json_quoted(std::to_string(entries->back().seq)) : "null") +
      "}\n";
  return {.status = 200, .body = std::move(body)};
}

AdminAnswer ControlDesk::list_tokens(const AdminCall&) {
  std::string body = "{\"items\":[";
  for (const StoredToken& token : tokens_)
    body += (body.back() == '[' ? "" : ",") + token_json(token);
  return {.status = 200, .body = body + "],\"next_cursor\":null}\n"};
}

AdminAnswer ControlDesk::create_token(const AdminCall& call) {
  const Result<Node> body = node_of_json(call.body);
  if (!body || body->kind != Node::Kind::Map)
    return problem(400, "bad_json", "the body must be a JSON object");
  StoredToken token{.created_micros = now()};
  std::optional<governance::Role> role;
  for (size_t i = 0; i < body->keys.size(); ++i) {
    const std::string& field = body->keys[i].name;
    if (field == "name") {
      token.name = body->items[i].text;
    } else if (field == "role") {
      role = governance::role_named(body->items[i].text);
    } else {
      return problem(400, "invalid_object",
                     fmt::format("unknown key `{}`; known here: `name`, `role`", field),
                     {{.field = field, .message = "unknown key", .hint = ""}});
    }
  }
  if (!is_name(token.name))
    return problem(400, "invalid_object", "`name` is required: letters, digits, '.', '_' and '-'",
                   {{.field = "name", .message = "is required", .hint = ""}});
  if (!role)
    return problem(400, "invalid_object", "`role` is required: viewer, analyst, operator or admin",
                   {{.field = "role", .message = "is required", .hint = ""}});
  token.role = *role;
  for (const StoredToken& each : tokens_)
    if (each.name == token.name)
      return problem(409, "exists",
                     fmt::format("the admin token '{}' is there already", token.name));
  const Secret secret = governance::mint_key(governance::kAdminPrefix);
  token.digest = parts_.governance.digester().of(secret.reveal());
  const Result<int64_t> stored =
      store({.actor = call.admin.name,
             .action = "admin_token.create",
             .target = token.name,
             .before = "",
             .after = fmt::format(R"({{"role":"{}"}})", governance::name_of(token.role))},
            [&](ControlStore::Change& change, int64_t) { change.put(token); });
  if (!stored) return problem(503, "store_unavailable", "the token could not be stored");
  tokens_.push_back(token);
  Node node;
  node.kind = Node::Kind::Map;
  set_member(node, "name", text_node(token.name));
  set_member(node, "role", text_node(governance::name_of(token.role)));
  set_member(node, "created_at", text_node(time_text(token.created_micros)));
  set_member(node, "token", text_node(secret.reveal()));
  return {.status = 201, .body = compact_json(node) + "\n"};
}

AdminAnswer ControlDesk::remove_token(const AdminCall& call) {
  const auto found = std::find_if(tokens_.begin(), tokens_.end(),
                                  [&](const StoredToken& each) { return each.name == call.name; });
  if (found == tokens_.end())
    return problem(404, "unknown_object", fmt::format("there is no admin token '{}'", call.name));
  const Result<int64_t> stored =
      store({.actor = call.admin.name,
             .action = "admin_token.delete",
             .target = call.name,
             .before = fmt::format(R"({{"role":"{}"}})", governance::name_of(found->role)),
             .after = ""},
            [&](ControlStore::Change& change, int64_t) { change.remove_token(call.name); });
  if (!stored) return problem(503, "store_unavailable", "the token could not be removed");
  tokens_.erase(found);
  return {.status = 204};
}

}  // namespace sluice::app
