#include "api/admin_routes.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::api {
namespace {

using governance::ObjectKind;
using governance::Role;

constexpr std::string_view kPage = "limit cursor";

constexpr AdminRoute kRoutes[] = {
    {"GET", "/admin/v1/organisations", Role::Viewer, &Control::list, ObjectKind::Organisation,
     kPage, "organisations, by name"},
    {"POST", "/admin/v1/organisations", Role::Admin, &Control::create, ObjectKind::Organisation, "",
     "makes one"},
    {"GET", "/admin/v1/organisations/{name}", Role::Viewer, &Control::get, ObjectKind::Organisation,
     "", "one of them"},
    {"PATCH", "/admin/v1/organisations/{name}", Role::Admin, &Control::change,
     ObjectKind::Organisation, "", "changes what the body names; null takes a field away"},
    {"DELETE", "/admin/v1/organisations/{name}", Role::Admin, &Control::remove,
     ObjectKind::Organisation, "", "removes it"},
    {"GET", "/admin/v1/teams", Role::Viewer, &Control::list, ObjectKind::Team, kPage,
     "teams, by name"},
    {"POST", "/admin/v1/teams", Role::Admin, &Control::create, ObjectKind::Team, "", "makes one"},
    {"GET", "/admin/v1/teams/{name}", Role::Viewer, &Control::get, ObjectKind::Team, "",
     "one of them"},
    {"PATCH", "/admin/v1/teams/{name}", Role::Admin, &Control::change, ObjectKind::Team, "",
     "changes what the body names; null takes a field away"},
    {"DELETE", "/admin/v1/teams/{name}", Role::Admin, &Control::remove, ObjectKind::Team, "",
     "removes it, unless a key is its"},
    {"GET", "/admin/v1/keys", Role::Viewer, &Control::list, ObjectKind::Key, kPage,
     "keys, by name; never their texts"},
    {"POST", "/admin/v1/keys", Role::Admin, &Control::create, ObjectKind::Key, "",
     "makes one; the reply alone has its text, as `key`"},
    {"GET", "/admin/v1/keys/{name}", Role::Viewer, &Control::get, ObjectKind::Key, "",
     "one of them"},
    {"PATCH", "/admin/v1/keys/{name}", Role::Admin, &Control::change, ObjectKind::Key, "",
     "changes what the body names; null takes a field away"},
    {"DELETE", "/admin/v1/keys/{name}", Role::Admin, &Control::remove, ObjectKind::Key, "",
     "removes it"},
    {"POST", "/admin/v1/keys/{name}/rotate", Role::Admin, &Control::rotate, ObjectKind::Key, "",
     "gives it a new text, which the reply alone has; the old one is good for `grace` more "
     "(`{\"grace\": \"24h\"}`; without: not at all)"},
    {"POST", "/admin/v1/keys/{name}/revoke", Role::Operator, &Control::revoke, ObjectKind::Key, "",
     "it opens nothing any more, on any instance that shares the Redis"},
    {"GET", "/admin/v1/end_users", Role::Viewer, &Control::get, ObjectKind::EndUsers, "",
     "what each end user may spend"},
    {"PATCH", "/admin/v1/end_users", Role::Admin, &Control::change, ObjectKind::EndUsers, "",
     "changes what the body names; null takes a field away"},
    {"DELETE", "/admin/v1/end_users", Role::Admin, &Control::remove, ObjectKind::EndUsers, "",
     "end users are not counted apart any more"},
    {"GET", "/admin/v1/budgets", Role::Viewer, &Control::budgets, ObjectKind::Key,
     "limit cursor level subject", "every budget as it stands now: limit, spent, reserved, reset"},
    {"GET", "/admin/v1/audit", Role::Operator, &Control::audit, ObjectKind::Key, kPage,
     "who changed what, latest first"},
    {"GET", "/admin/v1/exchanges/{request_id}/content", Role::Admin, &Control::show_bodies,
     ObjectKind::Key, "",
     "what was asked and answered, if the key kept it; each reading is a row of the audit chain"},
    {"DELETE", "/admin/v1/content", Role::Admin, &Control::forget_bodies, ObjectKind::Key,
     "key user", "removes all that is kept of one key, or of one end user"},
    {"GET", "/admin/v1/admin_tokens", Role::Admin, &Control::list_tokens, ObjectKind::Key, "",
     "who may use this API"},
    {"POST", "/admin/v1/admin_tokens", Role::Admin, &Control::create_token, ObjectKind::Key, "",
     "makes one of `name` and `role`; the reply alone has its text, as `token`"},
    {"DELETE", "/admin/v1/admin_tokens/{name}", Role::Admin, &Control::remove_token,
     ObjectKind::Key, "", "removes one"},
    {"GET", "/admin/v1/secrets", Role::Admin, &Control::list_secrets, ObjectKind::Key, "",
     "what is stored encrypted, by name: version, fingerprint, whether it is in use; never a "
     "value"},
    {"GET", "/admin/v1/secrets/{name}", Role::Admin, &Control::get_secret, ObjectKind::Key, "",
     "one of them"},
    {"PUT", "/admin/v1/secrets/{name}", Role::Admin, &Control::put_secret, ObjectKind::Key, "",
     "stores `value`, in force when this is answered; takes SLUICE_SECRETS_KEY"},
    {"DELETE", "/admin/v1/secrets/{name}", Role::Admin, &Control::remove_secret, ObjectKind::Key,
     "", "removes one, unless the configuration names it"},
};

// True if `path` is of that pattern; `name` gets what stands for the part in braces.
bool fits(std::string_view pattern, std::string_view path, std::string* name) {
  const size_t hole = pattern.find('{');
  if (hole == std::string_view::npos) return pattern == path;
  const std::string_view tail = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= hole + tail.size() || path.substr(0, hole) != pattern.substr(0, hole) ||
      !path.ends_with(tail))
    return false;
  const std::string_view found = path.substr(hole, path.size() - hole - tail.size());
  if (found.find('/') != std::string_view::npos) return false;
  *name = std::string(found);
  return true;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// "\"12\"" is what this API gives out; "*" and nothing ask for no revision.
std::optional<AdminAnswer> read_if_match(std::string_view text, std::optional<int64_t>& to) {
  if (text.empty() || text == "*") return std::nullopt;
  int64_t revision = 0;
  if (text.size() > 2 && text.front() == '"' && text.back() == '"') {
    const char* const end = text.data() + text.size() - 1;
    const auto read = std::from_chars(text.data() + 1, end, revision);
    if (read.ec == std::errc() && read.ptr == end) {
      to = revision;
      return std::nullopt;
    }
  }
  return problem(400, "bad_if_match", "If-Match takes one ETag that this API gave out");
}

std::optional<AdminAnswer> check_query(const AdminRoute& route, const AdminCall& call) {
  for (const auto& [name, value] : call.query) {
    const std::string padded = fmt::format(" {} ", route.query);
    if (!name.empty() && padded.find(fmt::format(" {} ", name)) != std::string::npos) continue;
    return problem(400, "unknown_parameter",
                   fmt::format("there is no query parameter '{}' here", name),
                   {{.field = name, .message = "unknown", .hint = std::string(route.query)}});
  }
  return std::nullopt;
}

}  // namespace

std::span<const AdminRoute> admin_routes() {
  return kRoutes;
}

AdminMatch match_admin(std::string_view method, std::string_view path) {
  AdminMatch match;
  for (const AdminRoute& route : kRoutes) {
    std::string name;
    if (!fits(route.path, path, &name)) continue;
    match.allowed += (match.allowed.empty() ? "" : ", ") + std::string(route.method);
    if (route.method != method) continue;
    match.route = &route;
    match.name = std::move(name);
  }
  return match;
}

std::optional<std::vector<std::pair<std::string, std::string>>> read_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto value = percent_decoded(pair.substr(std::min(pair.size(), equals + 1)));
    if (!name || !value) return std::nullopt;
    query.emplace_back(*name, *value);
  }
  return query;
}

AdminAnswer problem(int status, std::string_view code, std::string_view detail,
                    const std::vector<FieldFault>& faults) {
  AdminAnswer answer{.status = status};
  std::string& out = answer.body;
  out = fmt::format(R"({{"type":"about:blank","status":{},"code":)", status);
  append_json(out, code);
  out += ",\"detail\":";
  append_json(out, detail);
  if (!faults.empty()) {
    out += ",\"errors\":[";
    for (size_t i = 0; i < faults.size(); ++i) {
      out += i == 0 ? "{\"field\":" : ",{\"field\":";
      append_json(out, faults[i].field);
      out += ",\"message\":";
      append_json(out, faults[i].message);
      if (!faults[i].hint.empty()) {
        out += ",\"hint\":";
        append_json(out, faults[i].hint);
      }
      out += '}';
    }
    out += ']';
  }
  out += "}\n";
  return answer;
}

// Who it is comes first: strangers do not learn which pages there are.
AdminAnswer answer_admin(Control& control, const AdminRequest& request) {
  AdminCall call;
  const std::optional<Admin> admin = control.admin_of(request.token);
  if (!admin) {
    const bool none = request.token.empty();
    control.note_refused(request.peer, none ? "no token" : "an unknown token");
    return problem(401, "unauthorized",
                   none ? "show an admin token: `Authorization: Bearer ...`; `sluice "
                          "admin-token create` makes one"
                        : "this is no admin token of this gateway");
  }
  call.admin = *admin;
  AdminMatch match = match_admin(request.method, request.path);
  if (match.route == nullptr) {
    return match.allowed.empty()
               ? problem(404, "not_found", "there is no such page; docs/admin-api.md lists them")
               : problem(405, "method_not_allowed", "this page takes " + match.allowed);
  }
  const AdminRoute& route = *match.route;
  if (admin->role < route.role) {
    control.note_refused(request.peer,
                         fmt::format("{} is {}, not {}: {} {}", admin->name, name_of(admin->role),
                                     name_of(route.role), route.method, route.path));
    return problem(403, "forbidden",
                   fmt::format("this takes the role {}; '{}' has {}", name_of(route.role),
                               admin->name, name_of(admin->role)));
  }
  const auto query = read_query(request.query);
  if (!query) return problem(400, "bad_query", "the query is not readable");
  call.query = *query;
  call.kind = route.kind;
  call.name = std::move(match.name);
  call.body = request.body;
  if (auto refused = read_if_match(request.if_match, call.if_match)) return *std::move(refused);
  if (auto refused = check_query(route, call)) return *std::move(refused);
  return (control.*route.handler)(call);
}

std::string admin_reference() {
  std::string out = "| request | least role | what it does |\n| --- | --- | --- |\n";
  for (const AdminRoute& route : kRoutes) {
    std::string query(route.query);
    for (size_t at = query.find(' '); at != std::string::npos; at = query.find(' ', at + 4))
      query.replace(at, 1, "`, `");
    if (!query.empty()) query = "; takes `" + query + "`";
    out += fmt::format("| `{} {}` | {} | {}{} |\n", route.method, route.path, name_of(route.role),
                       route.doc, query);
  }
  return out;
}

}  // namespace sluice::api
