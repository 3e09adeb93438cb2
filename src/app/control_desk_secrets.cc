// What the admin API does with the secrets that it stores: takes them, names them, forgets them. It
// never gives one back.
#include <fmt/format.h>

#include "app/config_value.h"
#include "app/control_desk.h"
#include "app/json_node.h"
#include "app/stored_secrets.h"
#include "base/text_out.h"

namespace sluice::app {
namespace {

using api::AdminAnswer;
using api::AdminCall;
using api::problem;
using governance::ControlStore;
using governance::SealedSecret;
using governance::SecretsKey;

constexpr size_t kLongestSecret = 64 * 1024;

AdminAnswer no_key() {
  return problem(409, "no_secrets_key",
                 "SLUICE_SECRETS_KEY is not set, so nothing can be stored: start the gateway with "
                 "32 random bytes in it (`openssl rand -base64 32`), or their file in "
                 "SLUICE_SECRETS_KEY_FILE, kept apart from the data directory");
}

AdminAnswer wrong_value(std::string_view why) {
  const std::string message = fmt::format("`value`: {}", why);
  return problem(400, "invalid_object", message,
                 {{.field = "value", .message = message, .hint = ""}});
}

// The value; `refused`: why there is none.
Secret value_in(const AdminCall& call, std::optional<AdminAnswer>& refused) {
  const Result<Node> body = node_of_json(call.body);
  const bool is_map = body && body->kind == Node::Kind::Map;
  if (!is_map || body->keys.size() != 1 || body->keys[0].name != "value" ||
      body->items[0].kind != Node::Kind::Scalar || !body->items[0].quoted) {
    refused = problem(400, "bad_json", "the body must be a JSON object with `value`, a text");
    return {};
  }
  const std::string& text = body->items[0].text;
  if (text.empty()) refused = wrong_value("must not be empty");
  if (text.size() > kLongestSecret) refused = wrong_value("is longer than 64 KiB");
  return Secret(text);
}

std::string time_text(int64_t micros) {
  char text[kTimestampBound];
  return {text, put_timestamp(text, micros)};
}

}  // namespace

Result<void> ControlDesk::check_secrets_key() const {
  const Result<std::optional<SecretsKey>> key = parts_.secrets_key();
  if (!key) return Error(Outcome::BadRequest, key.error().message());
  const Result<governance::StoredSecrets> stored = governance::read_secrets(store_.database());
  if (!stored) return Error(Outcome::Bug, stored.error().message());
  if (stored->secrets.empty() || !*key || (*key)->check() == stored->check) return {};
  return Error(Outcome::BadRequest,
               "this is not the key that the secrets in " + store_.database().path() +
                   " were stored with: none of them would open; give back the old one, or move "
                   "them to the new one with `sluice secrets rekey`",
               std::string(kSecretsKeyVariable));
}

// Without the key, or with another, there is no fingerprint to tell.
std::string ControlDesk::secret_json(const SealedSecret& secret) const {
  const Result<std::optional<SecretsKey>> key = parts_.secrets_key();
  std::string fingerprint = "null";
  if (key && *key) {
    if (const Result<Secret> value = (*key)->open(secret))
      fingerprint = json_quoted((*key)->fingerprint(value->reveal()));
  }
  const bool in_use = state_.settings.stored_secrets.contains(secret.name);
  return fmt::format(R"({{"name":{},"version":{},"updated_at":{},"fingerprint":{},"in_use":{}}})",
                     json_quoted(secret.name), secret.version,
                     json_quoted(time_text(secret.changed_micros)), fingerprint, in_use);
}

AdminAnswer ControlDesk::list_secrets(const AdminCall&) {
  const Result<governance::StoredSecrets> stored = governance::read_secrets(store_.database());
  if (!stored) return problem(503, "store_unavailable", "the secrets could not be read");
  std::string body = "{\"items\":[";
  for (const SealedSecret& each : stored->secrets)
    body += (body.back() == '[' ? "" : ",") + secret_json(each);
  return {.status = 200, .body = body + "],\"next_cursor\":null}\n"};
}

std::optional<AdminAnswer> ControlDesk::find_secret(std::string_view name,
                                                    std::optional<SealedSecret>& to) const {
  Result<governance::StoredSecrets> stored = governance::read_secrets(store_.database());
  if (!stored) return problem(503, "store_unavailable", "the secrets could not be read");
  for (SealedSecret& each : stored->secrets)
    if (each.name == name) to = std::move(each);
  return std::nullopt;
}

AdminAnswer ControlDesk::get_secret(const AdminCall& call) {
  std::optional<SealedSecret> secret;
  if (auto failed = find_secret(call.name, secret)) return *std::move(failed);
  if (!secret)
    return problem(404, "unknown_object", fmt::format("there is no secret '{}'", call.name));
  return {.status = 200, .body = secret_json(*secret) + "\n"};
}

// Of the row before and after: never more than which version it was.
AdminAnswer ControlDesk::put_secret(const AdminCall& call) {
  if (!is_name(call.name))
    return problem(400, "invalid_object", "a name consists of letters, digits, '.', '_' and '-'");
  std::optional<AdminAnswer> refused;
  const Secret value = value_in(call, refused);
  if (refused) return *std::move(refused);
  const Result<std::optional<SecretsKey>> key = parts_.secrets_key();
  if (!key) return problem(409, "no_secrets_key", key.error().message());
  if (!*key) return no_key();
  std::optional<SealedSecret> before;
  if (auto failed = find_secret(call.name, before)) return *std::move(failed);
  Result<SealedSecret> sealed =
      (*key)->seal(call.name, before ? before->version + 1 : 1, value.reveal());
  if (!sealed) return problem(500, "not_encrypted", sealed.error().message());
  sealed->changed_micros = now();
  const Result<int64_t> stored =
      store({.actor = call.admin.name,
             .action = before ? "secret.change" : "secret.create",
             .target = call.name,
             .before = before ? fmt::format(R"({{"version":{}}})", before->version) : "",
             .after = fmt::format(R"({{"version":{},"fingerprint":{}}})", sealed->version,
                                  json_quoted((*key)->fingerprint(value.reveal())))},
            [&](ControlStore::Change& change, int64_t) {
              change.use_secrets_key((*key)->check());
              change.put(*sealed);
            });
  if (!stored) {
    const bool other_key = stored.error().outcome() == Outcome::BadRequest;
    return other_key ? problem(409, "wrong_secrets_key", stored.error().message())
                     : problem(503, "store_unavailable", "the secret could not be stored");
  }
  const Result<void> reloaded = parts_.reload("a stored secret changed");
  const bool in_use = state_.settings.stored_secrets.contains(call.name);
  if (!reloaded && in_use) {
    return problem(
        409, "not_in_force",
        fmt::format("the secret is stored, but not in force: {}", reloaded.error().message()));
  }
  return {.status = before ? 200 : 201, .body = secret_json(*sealed) + "\n"};
}

AdminAnswer ControlDesk::remove_secret(const AdminCall& call) {
  std::optional<SealedSecret> before;
  if (auto failed = find_secret(call.name, before)) return *std::move(failed);
  if (!before)
    return problem(404, "unknown_object", fmt::format("there is no secret '{}'", call.name));
  if (state_.settings.stored_secrets.contains(call.name))
    return problem(409, "in_use", fmt::format("the configuration names ${{secret:{}}}", call.name));
  const Result<int64_t> stored =
      store({.actor = call.admin.name,
             .action = "secret.delete",
             .target = call.name,
             .before = fmt::format(R"({{"version":{}}})", before->version),
             .after = ""},
            [&](ControlStore::Change& change, int64_t) { change.remove_secret(call.name); });
  if (!stored) return problem(503, "store_unavailable", "the secret could not be removed");
  return {.status = 204};
}

}  // namespace sluice::app
