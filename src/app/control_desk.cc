#include "app/control_desk.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "app/config_value.h"
#include "app/directory_builder.h"
#include "app/file_content.h"
#include "app/json_node.h"
#include "app/object_settings.h"
#include "app/secret_file.h"
#include "app/version.h"

namespace sluice::app {
namespace {

using api::AdminAnswer;
using api::AdminCall;
using governance::ControlStore;
using governance::StoredToken;

constexpr std::string_view kLocalToken = "local";
constexpr int64_t kMinuteMicros = 60'000'000;
constexpr int64_t kRefusedPerMinute = 10;

std::string words_of(const std::vector<api::FieldFault>& faults) {
  std::string words;
  for (const api::FieldFault& fault : faults) words += (words.empty() ? "" : "; ") + fault.message;
  return words;
}

}  // namespace

Result<std::unique_ptr<ControlDesk>> ControlDesk::open(Parts parts) {
  const std::string path = parts.data_dir + "/control.db";
  Result<ControlStore> store = ControlStore::open(path, parts.governance.digester().fingerprint());
  if (!store) return std::move(store).error();
  Result<governance::ControlContent> content = store->read();
  if (!content) return std::move(content).error();
  std::unique_ptr<ControlDesk> desk(
      new ControlDesk(std::move(parts), *std::move(store), *std::move(content)));
  if (Result<void> good = desk->check_secrets_key(); !good) return std::move(good).error();
  if (Result<void> kept = desk->keep_local_token(); !kept) return std::move(kept).error();
  const std::string after = fmt::format(R"({{"version":{}}})", json_quoted(kVersion));
  if (Result<void> noted = desk->note({.actor = "gateway",
                                       .action = "gateway.start",
                                       .target = desk->parts_.config_file,
                                       .before = "",
                                       .after = after});
      !noted)
    return std::move(noted).error();
  return desk;
}

ControlDesk::ControlDesk(Parts parts, ControlStore store, governance::ControlContent content)
    : parts_(std::move(parts)), store_(std::move(store)), tokens_(std::move(content.tokens)) {
  for (governance::StoredObject& object : content.objects) {
    ObjectId id(object.kind, object.name);
    state_.objects.emplace(std::move(id), std::move(object));
  }
  state_.texts = std::move(content.texts);
  for (governance::Revocation& each : content.revoked)
    state_.revoked.emplace(each.text, std::move(each.key));
}

// Whoever may write to the data directory may do all this token may; so when it is lost, taking the
// file away and starting again gives a new one.
Result<void> ControlDesk::keep_local_token() {
  const std::string path = parts_.data_dir + "/admin-token";
  if (Result<std::string> content = file_content(path)) {
    while (content->ends_with('\n')) content->pop_back();
    if (admin_of(*content)) return {};
    ::unlink(path.c_str());
  }
  const Secret token = governance::mint_key(governance::kAdminPrefix);
  if (Result<void> written = write_secret_file(path, token); !written) return written;
  const StoredToken stored{.name = std::string(kLocalToken),
                           .role = governance::Role::Admin,
                           .digest = parts_.governance.digester().of(token.reveal()),
                           .created_micros = now()};
  const Result<int64_t> done =
      store({.actor = "gateway",
             .action = "admin_token.create",
             .target = stored.name,
             .before = "",
             .after = R"({"role":"admin"})"},
            [&](ControlStore::Change& change, int64_t) { change.put(stored); });
  if (!done) return Error(Outcome::Bug, done.error().message());
  std::erase_if(tokens_, [](const StoredToken& each) { return each.name == kLocalToken; });
  tokens_.push_back(stored);
  return {};
}

governance::DirectoryParts ControlDesk::directory_parts_of(const State& state) const {
  governance::DirectoryParts parts = directory_parts(state.settings, parts_.governance.digester());
  std::map<std::string_view, governance::Key*> keys;
  for (governance::Key& key : parts.keys) keys.emplace(key.name, &key);
  for (const governance::StoredText& text : state.texts) {
    const auto found = keys.find(text.key);
    if (found == keys.end()) continue;
    governance::KeyDigest digest;
    digest.digest = text.digest;
    digest.until_micros = text.until_micros;
    digest.shared = text.digest;
    found->second->digests.push_back(digest);
    found->second->shown = text.shown;
  }
  for (governance::Key& key : parts.keys)
    for (governance::KeyDigest& kept : key.digests)
      kept.revoked = state.revoked.contains(kept.shared);
  return parts;
}

Result<ControlDesk::Candidate> ControlDesk::candidate(const Settings& file) {
  std::vector<ObjectBody> bodies;
  for (const auto& [id, object] : state_.objects) {
    const auto& [kind, name] = id;
    const std::string path = path_of(kind, name);
    if (has_object(file, kind, name)) {
      return Error(Outcome::BadRequest,
                   fmt::format("`{}` stands in the configuration file and was also made by the "
                               "admin API: one of the two has to go",
                               path),
                   path);
    }
    Result<Node> body = node_of_json(object.body);
    if (!body) return Error(Outcome::Bug, "control.db: " + body.error().message(), path);
    bodies.push_back({.kind = kind, .name = name, .body = *std::move(body)});
  }
  State next{.settings = file, .objects = {}, .texts = state_.texts, .revoked = state_.revoked};
  const std::vector<api::FieldFault> faults = put_objects(next.settings, bodies);
  if (!faults.empty()) {
    return Error(Outcome::BadRequest,
                 "what the admin API made does not fit the configuration: " + words_of(faults),
                 faults.front().field);
  }
  Result<DirectoryPointer> directory = parts_.governance.build(directory_parts_of(next));
  if (!directory) return std::move(directory).error();
  return Candidate{.settings = std::move(next.settings), .directory = *std::move(directory)};
}

void ControlDesk::adopt(Candidate candidate) {
  state_.settings = std::move(candidate.settings);
}

// Of settings that were in force, so there is nothing that could go wrong.
void ControlDesk::undo() {
  [[maybe_unused]] const auto rebuilt = parts_.governance.build(directory_parts_of(state_));
}

Result<void> ControlDesk::note_reload(const std::vector<Change>& changes) {
  Node before;
  Node after;
  before.kind = after.kind = Node::Kind::Map;
  for (const Change& change : changes) {
    set_member(before, change.key, text_node(change.before));
    set_member(after, change.key, text_node(change.after));
  }
  return note({.actor = "file",
               .action = "config.reload",
               .target = parts_.config_file,
               .before = compact_json(before),
               .after = compact_json(after)});
}

Result<void> ControlDesk::note(governance::AuditNote note) {
  const Result<int64_t> done = store(std::move(note), [](ControlStore::Change&, int64_t) {});
  return done ? Result<void>() : Error(done.error().outcome(), done.error().message());
}

Result<int64_t> ControlDesk::store(governance::AuditNote note, const Write& write) {
  Result<ControlStore::Change> change = store_.begin();
  if (!change) return Error(change.error().outcome(), change.error().message());
  const int64_t revision = change->audit(std::move(note), now());
  write(*change, revision);
  if (Result<void> done = change->commit(); !done) return std::move(done).error();
  return revision;
}

std::optional<AdminAnswer> ControlDesk::put_in_force(State next, const ObjectId& id,
                                                     governance::AuditNote note,
                                                     const WriteMore& more) {
  const Result<DirectoryPointer> directory = parts_.governance.build(directory_parts_of(next));
  if (!directory) return api::problem(400, "invalid_object", directory.error().message());
  const governance::AuditNote said = note;
  const Write write = [&](ControlStore::Change& change, int64_t revision) {
    const auto object = next.objects.find(id);
    if (object == next.objects.end()) {
      change.remove(id.first, id.second);
    } else {
      object->second.revision = revision;
      change.put(object->second);
    }
    if (more) more(change);
  };
  const Result<int64_t> stored = store(std::move(note), write);
  if (!stored) {
    undo();
    parts_.log.error("a change by the admin API could not be stored; nothing was changed",
                     {{"because", stored.error().message()}, {"action", said.action}});
    return api::problem(503, "store_unavailable",
                        "the change could not be stored, so nothing was changed");
  }
  state_ = std::move(next);
  parts_.apply(*directory);
  parts_.log.info("changed by the admin API",
                  {{"action", said.action}, {"target", said.target}, {"actor", said.actor}});
  return std::nullopt;
}

governance::AuditNote ControlDesk::note_of(const AdminCall& call, std::string_view verb,
                                           std::string_view target) const {
  return {.actor = call.admin.name,
          .action = fmt::format("{}.{}", governance::name_of(call.kind), verb),
          .target = std::string(target),
          .before = "",
          .after = ""};
}

bool ControlDesk::post(std::function<void()> work) {
  return parts_.thread.post(std::move(work));
}

std::optional<api::Admin> ControlDesk::admin_of(std::string_view token) {
  if (!token.starts_with(governance::kAdminPrefix)) return std::nullopt;
  const governance::Digest digest = parts_.governance.digester().of(token);
  for (const StoredToken& each : tokens_)
    if (governance::same_digest(each.digest, digest))
      return api::Admin{.name = each.name, .role = each.role};
  return std::nullopt;
}

void ControlDesk::note_refused(std::string_view peer, std::string_view why) {
  const int64_t minute = now() / kMinuteMicros;
  if (minute != refused_minute_) {
    refused_minute_ = minute;
    refused_count_ = 0;
  }
  if (++refused_count_ > kRefusedPerMinute) return;
  const bool last = refused_count_ == kRefusedPerMinute;
  const std::string after =
      fmt::format(R"({{"because":{}{}}})", json_quoted(why),
                  last ? R"(,"note":"more in this minute are not written down")" : "");
  const Result<void> noted = note({.actor = std::string(peer),
                                   .action = "admin.refused",
                                   .target = "",
                                   .before = "",
                                   .after = after});
  if (!noted)
    parts_.log.error("a refused admin call could not be audited",
                     {{"because", noted.error().message()}});
}

}  // namespace sluice::app
