// Keys that open nothing any more: revoked here, or on another instance.
#include <algorithm>
#include <fmt/format.h>

#include "app/control_desk.h"
#include "app/directory_builder.h"
#include "app/json_node.h"
#include "app/object_settings.h"

namespace sluice::app {

using api::AdminAnswer;
using api::AdminCall;
using api::problem;
using governance::ControlStore;
using governance::Revocation;

std::vector<Revocation> ControlDesk::texts_of(const KeySettings& key) const {
  std::vector<Revocation> texts;
  const auto add = [&](const governance::Digest& text) {
    if (!state_.revoked.contains(text)) texts.push_back({.text = text, .key = key.name});
  };
  if (const auto filed = shared_digest(key)) add(*filed);
  for (const governance::StoredText& text : state_.texts)
    if (text.key == key.name) add(text.digest);
  return texts;
}

AdminAnswer ControlDesk::revoke(const AdminCall& call) {
  const auto key = std::find_if(state_.settings.keys.begin(), state_.settings.keys.end(),
                                [&](const KeySettings& each) { return each.name == call.name; });
  if (key == state_.settings.keys.end()) return missing(call);
  if (!state_.objects.contains(ObjectId(call.kind, call.name))) return revoke_filed(call);
  if (auto refused = unchangeable(call)) return *std::move(refused);
  Result<Node> body = node_of_json(state_.objects.at(ObjectId(call.kind, call.name)).body);
  if (!body) return problem(500, "damaged", "the object as it is stored cannot be read");
  Node yes;
  yes.kind = Node::Kind::Scalar;
  yes.text = "true";
  set_member(*body, "revoked", yes);
  const std::vector<Revocation> texts = texts_of(*key);
  AdminAnswer answer = replace(call, "revoke", *std::move(body), texts);
  if (answer.status == 200) parts_.tell_others(texts);
  return answer;
}

// The file stays as it is: the text is what is revoked, and another one in its place opens again.
AdminAnswer ControlDesk::revoke_filed(const AdminCall& call) {
  const auto key = std::find_if(state_.settings.keys.begin(), state_.settings.keys.end(),
                                [&](const KeySettings& each) { return each.name == call.name; });
  const std::vector<Revocation> texts = texts_of(*key);
  if (texts.empty()) return answer_with(call, call.name, 200);
  State next = state_;
  for (const Revocation& each : texts) next.revoked.emplace(each.text, each.key);
  governance::AuditNote note = note_of(call, "revoke", call.name);
  note.after = R"({"revoked":true})";
  const auto more = [&](ControlStore::Change& change) {
    for (const Revocation& each : texts) change.add(each, now());
  };
  const ObjectId id(call.kind, call.name);
  if (auto failed = put_in_force(std::move(next), id, std::move(note), more))
    return *std::move(failed);
  parts_.tell_others(texts);
  return answer_with(call, call.name, 200);
}

Result<void> ControlDesk::remember(const std::vector<Revocation>& revoked) {
  std::string keys;
  for (const Revocation& each : revoked) keys += (keys.empty() ? "" : ", ") + each.key;
  Result<int64_t> stored = store({.actor = "another instance",
                                  .action = "key.revoke",
                                  .target = keys,
                                  .before = "",
                                  .after = R"({"revoked":true})"},
                                 [&](ControlStore::Change& change, int64_t) {
                                   for (const Revocation& each : revoked) change.add(each, now());
                                 });
  for (const Revocation& each : revoked) state_.revoked.emplace(each.text, each.key);
  parts_.log.info("keys were revoked on another instance", {{"keys", keys}});
  if (!stored) return std::move(stored).error();
  return {};
}

// Also where it cannot be stored: a key that is known to be revoked opens nothing.
void ControlDesk::hear(const std::vector<Revocation>& revoked) {
  if (Result<void> kept = remember(revoked); !kept)
    parts_.log.error("what another instance revoked could not be stored; it is in force here",
                     {{"because", kept.error().message()}});
  const Result<DirectoryPointer> directory = parts_.governance.build(directory_parts_of(state_));
  if (directory) parts_.apply(*directory);
}

std::vector<Revocation> ControlDesk::revoked() const {
  std::vector<Revocation> all;
  for (const auto& [text, key] : state_.revoked) all.push_back({.text = text, .key = key});
  return all;
}

}  // namespace sluice::app
