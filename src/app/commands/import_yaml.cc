#include "app/commands/import_yaml.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "app/config_diagnostic.h"

namespace sluice::app {
namespace {

// What YAML or the configuration reads as no text.
bool is_literal(std::string_view word) {
  if (word == "true" || word == "false" || word == "null") return true;
  double number = 0;
  const char* const end = word.data() + word.size();
  return std::from_chars(word.data(), end, number).ptr == end;
}

bool is_plain(std::string_view word) {
  const auto is_alnum = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (word.empty() || !(is_alnum(word.front()) || word.front() == '$') || word.back() == ':')
    return false;
  if (word == "yes" || word == "no" || word == "on" || word == "off") return false;
  return !is_literal(word) && std::all_of(word.begin(), word.end(), [&](char c) {
    return is_alnum(c) || std::string_view("$_./@+-:*").find(c) != std::string_view::npos;
  });
}

std::string written(std::string_view word) {
  return is_plain(word) ? std::string(word) : json_quoted(word);
}

bool is_flow(const YamlItem& item) {
  return item.kind == YamlItem::Kind::List &&
         std::all_of(item.items.begin(), item.items.end(), [](const YamlItem& inner) {
           return inner.kind == YamlItem::Kind::Scalar && inner.comment.empty();
         });
}

class Writer {
 public:
  // `begun`: the line of the first member is begun already, by the dash of a list.
  void map(const YamlItem& map, size_t indent, bool begun) {
    for (size_t i = 0; i < map.items.size(); ++i) {
      const YamlItem& item = map.items[i];
      if (indent == 0 && i > 0) out += '\n';
      const bool here = begun && i == 0;
      if (!here) {
        comment(item, indent);
        out.append(indent, ' ');
      }
      out += written(map.keys[i]) + ":";
      value(item, indent);
    }
  }

  std::string out;

 private:
  void comment(const YamlItem& item, size_t indent) {
    if (item.comment.empty()) return;
    out.append(indent, ' ');
    out += "# " + item.comment + "\n";
  }

  void value(const YamlItem& item, size_t indent) {
    if (item.kind == YamlItem::Kind::Scalar) {
      out += " " + item.scalar + "\n";
    } else if (is_flow(item)) {
      flow(item);
    } else if (item.empty()) {
      out += " {}\n";
    } else {
      out += "\n";
      if (item.kind == YamlItem::Kind::Map) return map(item, indent + 2, false);
      list(item, indent + 2);
    }
  }

  void flow(const YamlItem& list) {
    out += " [";
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out += ", ";
      out += list.items[i].scalar;
    }
    out += "]\n";
  }

  void list(const YamlItem& list, size_t indent) {
    for (const YamlItem& item : list.items) {
      comment(item, indent);
      out.append(indent, ' ');
      out += "-";
      if (item.kind == YamlItem::Kind::Map && !item.empty()) {
        out += " ";
        map(item, indent + 2, true);
      } else {
        value(item, indent);
      }
    }
  }
};

}  // namespace

YamlItem YamlItem::text(std::string_view word) {
  std::string escaped;
  for (const char c : word) escaped.append(c == '$' ? 2 : 1, c);
  return raw(written(escaped));
}

YamlItem& YamlItem::add(std::string_view key, YamlItem item) {
  keys.emplace_back(key);
  items.push_back(std::move(item));
  return items.back();
}

YamlItem YamlItem::copy_of(const Node& node) {
  YamlItem copy;
  switch (node.kind) {
    case Node::Kind::Null:
      return raw("null");
    case Node::Kind::Scalar:
      return !node.quoted && is_literal(node.text) ? raw(node.text) : text(node.text);
    case Node::Kind::List:
      copy.kind = Kind::List;
      for (const Node& item : node.items) copy.items.push_back(copy_of(item));
      return copy;
    case Node::Kind::Map:
      break;
  }
  copy.kind = Kind::Map;
  for (size_t i = 0; i < node.keys.size(); ++i) copy.add(node.keys[i].name, copy_of(node.items[i]));
  return copy;
}

std::string yaml_of(const YamlItem& root) {
  Writer writer;
  writer.map(root, 0, false);
  return std::move(writer.out);
}

std::string json_of(const Node& node) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::Null:
      return "null";
    case Node::Kind::Scalar:
      return !node.quoted && is_literal(node.text) ? node.text : json_quoted(node.text);
    case Node::Kind::List:
      for (const Node& item : node.items) out += (out.empty() ? "" : ",") + json_of(item);
      return "[" + out + "]";
    case Node::Kind::Map:
      break;
  }
  for (size_t i = 0; i < node.keys.size(); ++i)
    out += (out.empty() ? "" : ",") + json_quoted(node.keys[i].name) + ":" + json_of(node.items[i]);
  return "{" + out + "}";
}

}  // namespace sluice::app
