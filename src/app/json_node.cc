#include "app/json_node.h"

#include <algorithm>
#include <utility>

#include "app/config_diagnostic.h"
#include "wire/json.h"

namespace sluice::app {
namespace {

class NodeReader {
 public:
  explicit NodeReader(std::string_view text) : text_(text), reader_(text) {}

  Result<Node> read() {
    if (!json::is_utf8(text_)) return json::utf8_error(Outcome::BadRequest, text_);
    Node node;
    if (!value(node) || !reader_.finish()) {
      if (!twice_.empty())
        return Error(Outcome::BadRequest, "`" + twice_ + "` is written twice", twice_);
      return json::error_of(Outcome::BadRequest, text_, reader_);
    }
    return node;
  }

 private:
  bool value(Node& node) {
    switch (reader_.peek()) {
      case json::Type::Object:
        return object(node);
      case json::Type::Array:
        return array(node);
      case json::Type::String: {
        json::Text text;
        if (!reader_.string(&text)) return false;
        node = text_node(text.str());
        return true;
      }
      case json::Type::Null:
        node.kind = Node::Kind::Null;
        return reader_.null();
      default: {
        const char* const start = reader_.pointer();
        node.kind = Node::Kind::Scalar;
        if (!reader_.skip()) return false;
        node.text = std::string(reader_.since(start));
        return true;
      }
    }
  }

  bool object(Node& node) {
    node.kind = Node::Kind::Map;
    if (!reader_.open_object()) return false;
    json::Text key;
    while (reader_.next_member(&key)) {
      std::string name = key.str();
      if (find_member(node, name) != nullptr) {
        twice_ = std::move(name);
        return false;
      }
      Node item;
      if (!value(item)) return false;
      node.keys.push_back({.name = std::move(name), .spot = {}});
      node.items.push_back(std::move(item));
    }
    return !reader_.failed();
  }

  bool array(Node& node) {
    node.kind = Node::Kind::List;
    if (!reader_.open_array()) return false;
    while (reader_.next_element()) {
      if (!value(node.items.emplace_back())) return false;
    }
    return !reader_.failed();
  }

  std::string_view text_;
  json::Reader reader_;
  std::string twice_;
};

size_t index_of(const Node& map, std::string_view name) {
  const auto found = std::find_if(map.keys.begin(), map.keys.end(),
                                  [name](const Node::Key& key) { return key.name == name; });
  return static_cast<size_t>(found - map.keys.begin());
}

void append(const Node& node, std::string& out) {
  const bool map = node.kind == Node::Kind::Map;
  if (node.kind == Node::Kind::Null) {
    out += "null";
  } else if (node.kind == Node::Kind::Scalar) {
    out += node.quoted ? json_quoted(node.text) : node.text;
  } else {
    out += map ? '{' : '[';
    for (size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out += ',';
      if (map) out += json_quoted(node.keys[i].name) + ':';
      append(node.items[i], out);
    }
    out += map ? '}' : ']';
  }
}

}  // namespace

Result<Node> node_of_json(std::string_view text) {
  return NodeReader(text).read();
}

std::string compact_json(const Node& node) {
  std::string out;
  append(node, out);
  return out;
}

const Node* find_member(const Node& map, std::string_view name) {
  const size_t index = index_of(map, name);
  return index < map.items.size() ? &map.items[index] : nullptr;
}

Node* find_member(Node& map, std::string_view name) {
  const size_t index = index_of(map, name);
  return index < map.items.size() ? &map.items[index] : nullptr;
}

void set_member(Node& map, std::string_view name, Node value) {
  const size_t index = index_of(map, name);
  if (index < map.items.size()) {
    map.items[index] = std::move(value);
    return;
  }
  map.keys.push_back({.name = std::string(name), .spot = {}});
  map.items.push_back(std::move(value));
}

void remove_member(Node& map, std::string_view name) {
  const size_t index = index_of(map, name);
  if (index >= map.items.size()) return;
  map.keys.erase(map.keys.begin() + static_cast<ptrdiff_t>(index));
  map.items.erase(map.items.begin() + static_cast<ptrdiff_t>(index));
}

Node text_node(std::string_view text) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.text = std::string(text);
  node.quoted = true;
  return node;
}

void merge_patch(Node& to, const Node& patch) {
  if (patch.kind != Node::Kind::Map) {
    to = patch;
    return;
  }
  if (to.kind != Node::Kind::Map) {
    to = Node();
    to.kind = Node::Kind::Map;
  }
  for (size_t i = 0; i < patch.keys.size(); ++i) {
    const std::string& name = patch.keys[i].name;
    if (patch.items[i].kind == Node::Kind::Null) {
      remove_member(to, name);
      continue;
    }
    const Node* known = find_member(to, name);
    Node merged = known == nullptr ? Node() : *known;
    merge_patch(merged, patch.items[i]);
    set_member(to, name, std::move(merged));
  }
}

Node without_references(Node node) {
  std::string text;
  for (const char c : node.text) text.append(c == '$' ? 2 : 1, c);
  node.text = std::move(text);
  for (Node& item : node.items) item = without_references(std::move(item));
  return node;
}

}  // namespace sluice::app
