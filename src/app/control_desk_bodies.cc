// What the admin API tells of prompts and answers, and how it forgets them. No content leaves
// before its reading is in the audit chain.
#include <algorithm>
#include <fmt/format.h>

#include "app/config_diagnostic.h"
#include "app/control_desk.h"
#include "base/base64.h"
#include "base/text_out.h"
#include "wire/json.h"

namespace sluice::app {
namespace {

using api::AdminAnswer;
using api::AdminCall;
using api::problem;
using telemetry::KeptBody;

constexpr int64_t kMicrosPerDay = 86'400'000'000;
// One call takes so long at most: others wait for it.
constexpr Nanos kForgetting = 2 * kSecond;
// Rows have no more of a user's name.
constexpr size_t kLongestUser = 128;

AdminAnswer unreadable() {
  return problem(503, "store_unavailable", "the store of prompts and answers cannot be reached");
}

// Without the beginning of a character that a cut left at its end.
std::string_view whole_characters(std::string_view text) {
  const size_t looked_at = std::min<size_t>(text.size(), 4);
  for (size_t back = 1; back <= looked_at; ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t needs = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return text.substr(0, text.size() - (back < needs ? back : 0));
  }
  return text;
}

// {"text":"...","size":12,"truncated":false}; `base64` in place of `text` for what is no text.
void append_body(std::string& out, const KeptBody& body) {
  const bool truncated = body.size > body.bytes.size();
  const std::string_view text =
      truncated ? whole_characters(body.bytes) : std::string_view(body.bytes);
  if (json::is_utf8(text)) {
    out += "{\"text\":";
    append_json(out, text);
  } else {
    out += "{\"base64\":\"" + base64_encode(body.bytes) + "\"";
  }
  out += fmt::format(R"(,"size":{},"truncated":{}}})", body.size, truncated);
}

std::string content_json(const std::string& request_id, const telemetry::StoredBodies& stored) {
  std::string out = "{\"request_id\":" + json_quoted(request_id);
  out += ",\"key\":" + json_quoted(stored.owner);
  out += ",\"user\":" + (stored.user.empty() ? "null" : json_quoted(stored.user));
  out += ",\"endpoint\":" + json_quoted(stored.endpoint);
  out += fmt::format(R"(,"status":{},"stream":{},"request":)", stored.status, stored.stream);
  append_body(out, stored.kept.request);
  out += ",\"answer\":";
  append_body(out, stored.kept.answer);
  return out + "}\n";
}

}  // namespace

AdminAnswer ControlDesk::show_bodies(const AdminCall& call) {
  const std::optional<RequestIdParts> id = parse_request_id(call.name);
  if (!id) return problem(400, "bad_parameter", "this is no request id: `req_` and 26 characters");
  // What ended a moment ago is there too.
  if (!parts_.bodies.flush()) return unreadable();
  const auto database =
      store::Database::open(parts_.bodies.path(), {.mode = store::OpenMode::ReadOnly});
  if (!database) return unreadable();
  const auto found = telemetry::find_bodies(*database, *id);
  if (!found) return unreadable();
  if (!*found) return not_kept(call.name, *id);
  const telemetry::StoredBodies& stored = **found;
  if (stored.kept.dropped) {
    return problem(404, "not_kept",
                   "the bodies of this request were dropped: there was no room for them "
                   "(ledger.bodies.queue_limit)");
  }
  const Result<void> noted = note({.actor = call.admin.name,
                                   .action = "content.read",
                                   .target = call.name,
                                   .before = "",
                                   .after = "{\"key\":" + json_quoted(stored.owner) + "}"});
  if (!noted) {
    return problem(503, "store_unavailable",
                   "the reading could not be written to the audit chain, so nothing is shown");
  }
  return {.status = 200, .body = content_json(call.name, stored)};
}

AdminAnswer ControlDesk::not_kept(const std::string& request_id, const RequestIdParts& id) const {
  const auto ledger =
      store::Database::open(parts_.ledger_path, {.mode = store::OpenMode::ReadOnly});
  if (!ledger) return unreadable();
  const auto row = telemetry::find_origin(*ledger, id);
  if (!row) return unreadable();
  if (!*row) {
    return problem(404, "unknown_object",
                   fmt::format("the ledger knows no request {}: it was never here, came a moment "
                               "ago, or retention has removed its row",
                               request_id));
  }
  const std::string& name = (*row)->key;
  if (name.empty())
    return problem(404, "not_kept", "the request came without a key: nothing is kept");
  const int64_t days = state_.settings.ledger.bodies.retention_days;
  if (days > 0 && (*row)->started_micros < now() - days * kMicrosPerDay) {
    return problem(404, "not_kept",
                   fmt::format("the request is older than the {} days that bodies are kept "
                               "(ledger.bodies.retention_days)",
                               days));
  }
  const auto& keys = state_.settings.keys;
  const auto key = std::ranges::find(keys, name, &KeySettings::name);
  if (key == keys.end() || !key->keep_bodies)
    return problem(404, "not_kept", fmt::format("the key '{}' does not keep bodies", name));
  return problem(404, "not_kept",
                 fmt::format("nothing is kept of this request, though the key '{}' keeps bodies "
                             "now: it did not then, or they were forgotten, removed for "
                             "ledger.bodies.max_size, or lost in a crash",
                             name));
}

AdminAnswer ControlDesk::forget_bodies(const AdminCall& call) {
  const std::string_view key = call.asked("key");
  const std::string_view user = call.asked("user");
  if (key.empty() == user.empty())
    return problem(400, "bad_parameter", "say either `key` or `user`: whose content goes");
  const auto whose = key.empty() ? telemetry::BodiesOf::User : telemetry::BodiesOf::Owner;
  const std::string_view name = key.empty() ? user.substr(0, kLongestUser) : key;
  // What waits to be stored goes too.
  if (!parts_.bodies.flush()) return unreadable();
  auto database = telemetry::open_bodies(parts_.bodies.path());
  if (!database) return unreadable();
  const Result<void> noted =
      note({.actor = call.admin.name,
            .action = "content.forget",
            .target = fmt::format("{}:{}", key.empty() ? "user" : "key", name),
            .before = "",
            .after = ""});
  if (!noted)
    return problem(503, "store_unavailable",
                   "it could not be written to the audit chain, so nothing was removed");
  const Nanos until = parts_.clock.monotonic() + kForgetting;
  int64_t removed = 0;
  bool more = true;
  while (more && parts_.clock.monotonic() < until) {
    const Result<int64_t> piece = telemetry::forget_bodies(*database, whose, name);
    if (!piece) return unreadable();
    removed += *piece;
    more = *piece > 0;
  }
  if (!more && !telemetry::wipe_log(*database)) return unreadable();
  return {.status = 200, .body = fmt::format("{{\"removed\":{},\"more\":{}}}\n", removed, more)};
}

}  // namespace sluice::app
