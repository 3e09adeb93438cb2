#include "app/object_settings.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <type_traits>

#include "app/config_reader.h"
#include "app/directory_builder.h"
#include "app/json_node.h"

namespace sluice::app {
namespace {

using api::FieldFault;
using governance::ObjectKind;

constexpr std::array<std::string_view, 4> kSections = {"organisations", "teams", "keys",
                                                       "end_users"};

std::string_view section_of(ObjectKind kind) {
  return kSections[static_cast<size_t>(kind)];
}

// Bodies hold no references; see without_references().
Surroundings no_surroundings() {
  return {.env = [](std::string_view) { return std::optional<std::string>(); },
          .read_file = [](std::string_view) -> Result<std::string> {
            return Error(Outcome::BadRequest, "not read from here");
          }};
}

template <class Work>
auto with_list(Settings& settings, ObjectKind kind, Work&& work) {
  switch (kind) {
    case ObjectKind::Organisation:
      return work(settings.organisations);
    case ObjectKind::Team:
      return work(settings.teams);
    default:
      return work(settings.keys);
  }
}

std::vector<FieldFault> faults_of(const Reader& reader, const std::string& path) {
  std::vector<FieldFault> faults;
  for (const Diagnostic& found : reader.diagnostics) {
    if (info_of(found.rule).severity != Severity::Error) continue;
    std::string field = found.key;
    std::string message = found.message;
    const std::string prefix = path + ".";
    if (!path.empty() && field.starts_with(prefix)) field.erase(0, prefix.size());
    // Within its own object the whole path says nothing.
    for (size_t at = message.find(prefix); !path.empty() && at != std::string::npos;
         at = message.find(prefix))
      message.erase(at, prefix.size());
    faults.push_back(
        {.field = std::move(field), .message = std::move(message), .hint = found.hint});
  }
  return faults;
}

Node map_node() {
  Node node;
  node.kind = Node::Kind::Map;
  return node;
}

Node plain_node(std::string text) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.text = std::move(text);
  return node;
}

// A value as JSON has it; Null: nothing is said.
Node value_node(const std::string& value) {
  return value.empty() ? Node() : text_node(value);
}
Node value_node(bool value) {
  return value ? plain_node("true") : Node();
}
Node value_node(int64_t value) {
  return value == 0 ? Node() : plain_node(std::to_string(value));
}
Node value_node(const std::vector<std::string>& value) {
  Node node;
  if (value.empty()) return node;
  node.kind = Node::Kind::List;
  for (const std::string& item : value) node.items.push_back(text_node(item));
  return node;
}
Node value_node(const WordMap& value) {
  if (value.empty()) return {};
  Node node = map_node();
  for (const auto& [name, text] : value) set_member(node, name, text_node(text));
  return node;
}
Node value_node(const Subtree& value) {
  Result<Node> node = value.json.empty() ? Node() : node_of_json(value.json);
  return node ? *std::move(node) : Node();
}
template <class T>
Node value_node(const T&) {
  return {};
}

// `path`: of the one object that faults are named from; empty: all in full.
std::vector<FieldFault> put_all(Settings& settings, const std::vector<ObjectBody>& objects,
                                const std::string& path) {
  const Surroundings nothing = no_surroundings();
  Reader reader("", nothing);
  reader.settings = settings;
  Node root = map_node();
  for (const ObjectBody& object : objects) {
    remove_object(reader.settings, object.kind, object.name);
    const std::string_view section = section_of(object.kind);
    if (object.kind == ObjectKind::EndUsers) {
      set_member(root, section, without_references(object.body));
      continue;
    }
    if (find_member(root, section) == nullptr) set_member(root, section, map_node());
    Node& named = *find_member(root, section);
    named.keys.push_back({.name = object.name, .spot = {}});
    named.items.push_back(without_references(object.body));
  }
  reader.read_file(root);
  for (const ObjectBody& object : objects)
    if (object.kind == ObjectKind::Key && has_object(reader.settings, object.kind, object.name))
      key_of(reader.settings, object.name).text_is_stored = true;
  check_governance(reader);
  std::vector<FieldFault> faults = faults_of(reader, path);
  if (faults.empty()) settings = std::move(reader.settings);
  return faults;
}

}  // namespace

std::string path_of(ObjectKind kind, std::string_view name) {
  std::string path(section_of(kind));
  if (kind != ObjectKind::EndUsers) path += "." + std::string(name);
  return path;
}

bool has_object(const Settings& settings, ObjectKind kind, std::string_view name) {
  if (kind == ObjectKind::EndUsers) {
    const LimitSettings& said = settings.end_users;
    return said.requests_per_minute != 0 || said.tokens_per_minute != 0 || said.parallel != 0 ||
           said.shadow || !said.budgets.json.empty();
  }
  const std::vector<std::string> names = names_of(settings, kind);
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> names_of(const Settings& settings, ObjectKind kind) {
  std::vector<std::string> names;
  const auto take = [&](const auto& list) {
    for (const auto& item : list) names.push_back(item.name);
  };
  if (kind == ObjectKind::Organisation) take(settings.organisations);
  if (kind == ObjectKind::Team) take(settings.teams);
  if (kind == ObjectKind::Key) take(settings.keys);
  return names;
}

void remove_object(Settings& settings, ObjectKind kind, std::string_view name) {
  if (kind == ObjectKind::EndUsers) {
    settings.end_users = {};
    return;
  }
  with_list(settings, kind, [name](auto& list) {
    std::erase_if(list, [name](const auto& item) { return item.name == name; });
  });
}

std::vector<FieldFault> put_objects(Settings& settings, const std::vector<ObjectBody>& objects) {
  return put_all(settings, objects, "");
}

std::vector<FieldFault> put_object(Settings& settings, const ObjectBody& object) {
  return put_all(settings, {object}, path_of(object.kind, object.name));
}

std::vector<FieldFault> check_objects(const Settings& settings) {
  const Surroundings nothing = no_surroundings();
  Reader reader("", nothing);
  reader.settings = settings;
  check_governance(reader);
  return faults_of(reader, "");
}

Node object_node(Settings& settings, ObjectKind kind, const std::string& name) {
  Node node = map_node();
  const std::string below =
      std::string(section_of(kind)) + (kind == ObjectKind::EndUsers ? "." : ".*.");
  for (const Property& row : properties()) {
    const bool hidden = row.secret || settings.sealed.contains(path_of(row, name));
    if (!row.key.starts_with(below) || hidden) continue;
    Node value = std::visit(
        [&](auto slot) -> Node {
          if constexpr (std::is_pointer_v<decltype(slot)>)
            return value_node(slot(settings, name));
          else
            return {};
        },
        row.slot);
    if (value.kind != Node::Kind::Null) set_member(node, leaf_of(row.key), std::move(value));
  }
  return node;
}

}  // namespace sluice::app
