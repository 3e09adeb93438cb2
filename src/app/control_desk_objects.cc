// What the admin API does with organisations, teams, keys and the policy of end users.
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "app/config_names.h"
#include "app/config_value.h"
#include "app/control_desk.h"
#include "app/json_node.h"
#include "app/object_settings.h"
#include "base/text_out.h"

namespace sluice::app {
namespace {

using api::AdminAnswer;
using api::AdminCall;
using api::problem;
using governance::ControlStore;
using governance::ObjectKind;
using governance::StoredObject;
using governance::StoredText;

constexpr size_t kPage = 100;
constexpr int64_t kLongestPage = 1000;
constexpr int64_t kLongestGraceMillis = int64_t{90} * 24 * 3'600'000;

// Fields of replies that are not the caller's to set, with why.
struct OwnField {
  std::string_view name;
  std::string_view why;
};
constexpr auto kOwnFields = std::to_array<OwnField>({
    {"name", "a name does not change"},
    {"source", "says where the object stands"},
    {"revision", "is counted by the gateway"},
    {"created_at", "is noted by the gateway"},
    {"changed_at", "is noted by the gateway"},
    {"state", "follows from `revoked` and `expires`"},
    {"shown", "is a piece of the key's text"},
    {"old_texts", "come from rotating a key"},
    {"key", "the gateway makes the text of a key, and tells it once"},
    {"previous", "comes from rotating a key"},
    {"digest", "the gateway makes the text of a key, and keeps its digest"},
});

Node plain(std::string text) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.text = std::move(text);
  return node;
}

Node time_node(int64_t micros) {
  char text[kTimestampBound];
  const char* const end = put_timestamp(text, micros);
  return text_node({text, static_cast<size_t>(end - text)});
}

AdminAnswer invalid(const std::vector<api::FieldFault>& faults) {
  std::string detail;
  for (const api::FieldFault& fault : faults) {
    detail += (detail.empty() ? "" : "; ") + fault.message;
    if (!fault.hint.empty()) detail += " (" + fault.hint + ")";
  }
  return problem(400, "invalid_object", detail, faults);
}

AdminAnswer wrong_field(std::string_view field, std::string_view why) {
  const api::FieldFault fault{
      .field = std::string(field), .message = fmt::format("`{}`: {}", field, why), .hint = ""};
  return invalid({fault});
}

// The body as a map; `answer`: why it is none.
std::optional<Node> body_of(const AdminCall& call, AdminAnswer& answer) {
  Result<Node> body = node_of_json(call.body);
  if (!body) {
    answer = problem(400, "bad_json", body.error().message());
    return std::nullopt;
  }
  if (body->kind != Node::Kind::Map) {
    answer = problem(400, "bad_json", "the body must be a JSON object");
    return std::nullopt;
  }
  return *std::move(body);
}

std::optional<AdminAnswer> check_own_fields(const Node& body) {
  for (const OwnField& own : kOwnFields)
    if (find_member(body, own.name) != nullptr) return wrong_field(own.name, own.why);
  return std::nullopt;
}

// What an administrator calls it: "the key 'prod'", "the policy of end users".
std::string words_for(ObjectKind kind, std::string_view name) {
  if (kind == ObjectKind::EndUsers) return "the policy of end users";
  return fmt::format("the {} '{}'", governance::name_of(kind), name);
}

}  // namespace

AdminAnswer ControlDesk::missing(const AdminCall& call) const {
  const std::vector<std::string> names = names_of(state_.settings, call.kind);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string hint = did_you_mean(call.name, views);
  return problem(404, "unknown_object",
                 fmt::format("there is no {} '{}'{}{}", governance::name_of(call.kind), call.name,
                             hint.empty() ? "" : "; ", hint));
}

std::optional<AdminAnswer> ControlDesk::unchangeable(const AdminCall& call) const {
  const auto found = state_.objects.find(ObjectId(call.kind, call.name));
  if (found == state_.objects.end()) {
    if (!has_object(state_.settings, call.kind, call.name)) return missing(call);
    return problem(409, "read_only",
                   fmt::format("{} stands in the configuration file {} and is changed there",
                               words_for(call.kind, call.name), parts_.config_file));
  }
  if (call.if_match && *call.if_match != found->second.revision) {
    return problem(412, "changed_meanwhile",
                   fmt::format("{} is at revision {} now", words_for(call.kind, call.name),
                               found->second.revision));
  }
  return std::nullopt;
}

void ControlDesk::describe_key(Node& node, const Settings& settings,
                               const std::string& name) const {
  const auto key = std::find_if(settings.keys.begin(), settings.keys.end(),
                                [&](const KeySettings& each) { return each.name == name; });
  const bool revoked = key->revoked || texts_of(*key).empty();
  const std::optional<int64_t> expires = governance::moment_of(key->expires);
  const bool expired = expires && *expires <= now();
  set_member(node, "state", text_node(revoked ? "revoked" : expired ? "expired" : "active"));
  std::string shown;
  if (!key->key.empty()) shown = governance::shown_key(key->key.reveal());
  Node old;
  old.kind = Node::Kind::List;
  for (const StoredText& text : state_.texts) {
    if (text.key != name) continue;
    if (text.until_micros == 0) {
      shown = text.shown;
    } else if (text.until_micros > now()) {
      Node item;
      item.kind = Node::Kind::Map;
      set_member(item, "shown", text_node(text.shown));
      set_member(item, "until", time_node(text.until_micros));
      old.items.push_back(std::move(item));
    }
  }
  set_member(node, "shown", shown.empty() ? Node() : text_node(shown));
  set_member(node, "old_texts", std::move(old));
}

Node ControlDesk::described(Settings& settings, ObjectKind kind, const std::string& name) const {
  Node node;
  node.kind = Node::Kind::Map;
  if (kind != ObjectKind::EndUsers) set_member(node, "name", text_node(name));
  const auto found = state_.objects.find(ObjectId(kind, name));
  const bool made_here = found != state_.objects.end();
  Result<Node> body = made_here ? node_of_json(found->second.body) : Node();
  if (!made_here && has_object(settings, kind, name)) body = object_node(settings, kind, name);
  if (body && body->kind == Node::Kind::Map) merge_patch(node, *body);
  if (kind == ObjectKind::Key) describe_key(node, settings, name);
  if (made_here) {
    set_member(node, "source", text_node("api"));
    set_member(node, "revision", plain(std::to_string(found->second.revision)));
    set_member(node, "created_at", time_node(found->second.created_micros));
    set_member(node, "changed_at", time_node(found->second.changed_micros));
  } else {
    const bool in_file = has_object(settings, kind, name);
    set_member(node, "source", in_file ? text_node("file") : Node());
  }
  return node;
}

AdminAnswer ControlDesk::answer_with(const AdminCall& call, const std::string& name, int status,
                                     const Secret& key) {
  Node node = described(state_.settings, call.kind, name);
  if (!key.empty()) set_member(node, "key", text_node(key.reveal()));
  AdminAnswer answer{.status = status, .body = compact_json(node) + "\n"};
  const auto found = state_.objects.find(ObjectId(call.kind, name));
  if (found != state_.objects.end()) answer.revision = found->second.revision;
  return answer;
}

AdminAnswer ControlDesk::list(const AdminCall& call) {
  int64_t limit = kPage;
  if (const std::string_view asked = call.asked("limit"); !asked.empty()) {
    if (assign(limit, asked, {1, kLongestPage}))
      return problem(400, "bad_parameter", fmt::format("limit takes 1 to {}", kLongestPage));
  }
  std::vector<std::string> names = names_of(state_.settings, call.kind);
  std::sort(names.begin(), names.end());
  auto from = names.begin();
  if (const std::string_view cursor = call.asked("cursor"); !cursor.empty())
    from = std::upper_bound(names.begin(), names.end(), cursor);
  const auto until = names.end() - from > limit ? from + limit : names.end();
  std::string body = "{\"items\":[";
  for (auto name = from; name != until; ++name) {
    if (name != from) body += ',';
    body += compact_json(described(state_.settings, call.kind, *name));
  }
  const bool more = until != names.end();
  body += "],\"next_cursor\":" + (more ? json_quoted(*(until - 1)) : "null") + "}\n";
  return {.status = 200, .body = std::move(body)};
}

AdminAnswer ControlDesk::get(const AdminCall& call) {
  const bool one_of_many = call.kind != ObjectKind::EndUsers;
  if (one_of_many && !has_object(state_.settings, call.kind, call.name)) return missing(call);
  return answer_with(call, call.name, 200);
}

StoredText ControlDesk::text_of(const std::string& key, const Secret& secret) const {
  return {.key = key,
          .digest = parts_.governance.digester().of(secret.reveal()),
          .shown = governance::shown_key(secret.reveal()),
          .made_micros = now(),
          .until_micros = 0};
}

AdminAnswer ControlDesk::create(const AdminCall& call) {
  AdminAnswer refused;
  std::optional<Node> body = body_of(call, refused);
  if (!body) return refused;
  const Node* given = find_member(*body, "name");
  if (given == nullptr || given->kind != Node::Kind::Scalar || !given->quoted)
    return wrong_field("name", "is required, a text");
  const std::string name = given->text;
  if (!is_name(name))
    return wrong_field("name", "a name consists of letters, digits, '.', '_' and '-'");
  remove_member(*body, "name");
  if (auto own = check_own_fields(*body)) return *std::move(own);
  if (has_object(state_.settings, call.kind, name)) {
    return problem(409, "exists", fmt::format("{} is there already", words_for(call.kind, name)));
  }
  State next = state_;
  const std::vector<api::FieldFault> faults =
      put_object(next.settings, {.kind = call.kind, .name = name, .body = *body});
  if (!faults.empty()) return invalid(faults);

  const int64_t moment = now();
  const ObjectId id(call.kind, name);
  StoredObject object{.kind = call.kind,
                      .name = name,
                      .body = compact_json(*body),
                      .created_micros = moment,
                      .changed_micros = moment};
  next.objects.emplace(id, std::move(object));
  governance::AuditNote note = note_of(call, "create", name);
  Secret key;
  std::optional<StoredText> text;
  if (call.kind == ObjectKind::Key) {
    key = governance::mint_key();
    text = text_of(name, key);
    next.texts.push_back(*text);
    set_member(*body, "shown", text_node(text->shown));
  }
  note.after = compact_json(*body);
  const auto more = [&](ControlStore::Change& change) {
    if (text) change.add(*text);
  };
  if (auto failed = put_in_force(std::move(next), id, std::move(note), more))
    return *std::move(failed);
  return answer_with(call, name, 201, key);
}

AdminAnswer ControlDesk::replace(const AdminCall& call, std::string_view verb, Node body,
                                 const std::vector<governance::Revocation>& revoked) {
  State next = state_;
  const std::vector<api::FieldFault> faults =
      put_object(next.settings, {.kind = call.kind, .name = call.name, .body = body});
  if (!faults.empty()) return invalid(faults);
  const ObjectId id(call.kind, call.name);
  const auto known = next.objects.find(id);
  governance::AuditNote note = note_of(call, verb, call.name);
  StoredObject object{.kind = call.kind,
                      .name = call.name,
                      .body = compact_json(body),
                      .created_micros = now(),
                      .changed_micros = now()};
  if (known != next.objects.end()) {
    object.created_micros = known->second.created_micros;
    note.before = known->second.body;
  }
  note.after = object.body;
  next.objects[id] = std::move(object);
  for (const governance::Revocation& each : revoked) next.revoked.emplace(each.text, each.key);
  const auto more = [&](ControlStore::Change& change) {
    for (const governance::Revocation& each : revoked) change.add(each, now());
  };
  if (auto failed = put_in_force(std::move(next), id, std::move(note), more))
    return *std::move(failed);
  return answer_with(call, call.name, 200);
}

AdminAnswer ControlDesk::change(const AdminCall& call) {
  const auto found = state_.objects.find(ObjectId(call.kind, call.name));
  // There is always a policy of end users, if only one that says nothing.
  const bool is_new = call.kind == ObjectKind::EndUsers && found == state_.objects.end() &&
                      !has_object(state_.settings, call.kind, call.name);
  if (!is_new) {
    if (auto refused = unchangeable(call)) return *std::move(refused);
  }
  AdminAnswer refused;
  const std::optional<Node> patch = body_of(call, refused);
  if (!patch) return refused;
  if (auto own = check_own_fields(*patch)) return *std::move(own);
  Node merged;
  if (!is_new) {
    Result<Node> body = node_of_json(found->second.body);
    if (!body) return problem(500, "damaged", "the object as it is stored cannot be read");
    merged = *std::move(body);
  }
  merge_patch(merged, *patch);
  return replace(call, "change", std::move(merged));
}

AdminAnswer ControlDesk::remove(const AdminCall& call) {
  if (auto refused = unchangeable(call)) return *std::move(refused);
  State next = state_;
  const ObjectId id(call.kind, call.name);
  remove_object(next.settings, call.kind, call.name);
  const std::vector<api::FieldFault> faults = check_objects(next.settings);
  if (!faults.empty()) {
    return problem(
        409, "in_use",
        fmt::format("{} is in use: {}", words_for(call.kind, call.name), faults.front().field),
        faults);
  }
  governance::AuditNote note = note_of(call, "delete", call.name);
  note.before = next.objects.at(id).body;
  next.objects.erase(id);
  std::erase_if(next.texts, [&](const StoredText& text) {
    return call.kind == ObjectKind::Key && text.key == call.name;
  });
  const auto more = [&](ControlStore::Change& change) {
    if (call.kind == ObjectKind::Key) change.remove_texts(call.name);
  };
  if (auto failed = put_in_force(std::move(next), id, std::move(note), more))
    return *std::move(failed);
  return {.status = 204};
}

AdminAnswer ControlDesk::rotate(const AdminCall& call) {
  if (auto refused = unchangeable(call)) return *std::move(refused);
  AdminAnswer refused;
  Duration grace{};
  if (!call.body.empty()) {
    const std::optional<Node> body = body_of(call, refused);
    if (!body) return refused;
    for (const Node::Key& key : body->keys)
      if (key.name != "grace") return wrong_field(key.name, "unknown; known here: `grace`");
    const Node* given = find_member(*body, "grace");
    if (given != nullptr) {
      if (const auto fault = assign(grace, given->text, {0, kLongestGraceMillis}))
        return wrong_field("grace", fault->message);
    }
  }
  State next = state_;
  const int64_t moment = now();
  const int64_t until = moment + grace.count() * 1000;
  const Secret key = governance::mint_key();
  const StoredText text = text_of(call.name, key);
  governance::AuditNote note = note_of(call, "rotate", call.name);
  std::erase_if(next.texts, [&](const StoredText& old) {
    return old.key == call.name && old.until_micros != 0 && old.until_micros < moment;
  });
  for (StoredText& old : next.texts) {
    if (old.key != call.name || old.until_micros != 0) continue;
    old.until_micros = until;
    note.before = fmt::format(R"({{"shown":{}}})", json_quoted(old.shown));
  }
  next.texts.push_back(text);
  note.after = fmt::format(R"({{"shown":{},"grace":{}}})", json_quoted(text.shown),
                           json_quoted(app::text_of(grace)));
  const ObjectId id(call.kind, call.name);
  next.objects.at(id).changed_micros = moment;
  const auto more = [&](ControlStore::Change& change) {
    change.forget_texts(call.name, moment);
    change.end_texts(call.name, until);
    change.add(text);
  };
  if (auto failed = put_in_force(std::move(next), id, std::move(note), more))
    return *std::move(failed);
  return answer_with(call, call.name, 200, key);
}

}  // namespace sluice::app
