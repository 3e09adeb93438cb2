// Settings that are more than one value: lists, maps of words, pieces with a shape of their own.
#include <fmt/format.h>
#include <utility>

#include "app/config_reader.h"

namespace sluice::app {
namespace {

std::string joined(std::string_view prefix, std::string_view key) {
  return fmt::format("{}.{}", prefix, key);
}

// A plain scalar that YAML's core schema, and JSON, read as something else than text.
bool is_json_literal(std::string_view text) {
  if (text == "true" || text == "false" || text == "null") return true;
  const size_t digits = text.starts_with('-') ? 1 : 0;
  const size_t rest = text.find_first_not_of("0123456789", digits);
  if (rest == digits || text.size() == digits) return false;
  if (text.size() > digits + 1 && text[digits] == '0' && text[digits + 1] != '.') return false;
  if (rest == std::string_view::npos) return true;
  const std::string_view fraction = text.substr(rest);
  return fraction.size() > 1 && fraction.front() == '.' &&
         fraction.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

}  // namespace

bool Reader::read_item(const Node& node, const Where& where, Word word, std::string& to) {
  if (node.kind != Node::Kind::Scalar) {
    wrong_shape(node, where.path, "a value");
    return false;
  }
  auto text = substitute(node.text, around_);
  seal(where, text);
  if (!text.fault) text.fault = check_word(word, text.text);
  if (text.fault) {
    refuse(*text.fault, place_of(node.spot), where,
           text.from.empty() ? std::string_view(node.text) : "");
    return false;
  }
  to = std::move(text.text);
  return true;
}

void Reader::read_list(const Node& node, const Where& where) {
  const auto* route = std::get_if<Field<Route>>(&where.row.slot);
  std::vector<const Node*> nodes;
  // One target needs no brackets.
  if (node.kind == Node::Kind::Scalar && route != nullptr)
    nodes.push_back(&node);
  else if (node.kind != Node::Kind::List)
    return wrong_shape(node, where.path, "a list");
  for (const auto& item : node.items) nodes.push_back(&item);

  std::vector<std::string> items;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", where.path, i);
    std::string text;
    if (!read_item(*nodes[i], Where{where.row, path, where.name}, where.row.word, text)) continue;
    provenance.locate(fmt::format("{}[{}]", where.path, items.size()), place_of(nodes[i]->spot));
    items.push_back(std::move(text));
  }
  const auto count = static_cast<int64_t>(nodes.size());
  const auto& limits = where.row.limits;
  if (route != nullptr && (count < limits.min || count > limits.max)) {
    const auto expected = limits.max == 1 ? std::string("exactly one target")
                                          : fmt::format("1 to {} targets", limits.max);
    return complain(Rule::OutOfRange, place_of(node.spot), where.path,
                    fmt::format("`{}` needs {}", where.path, expected));
  }
  if (route != nullptr)
    (*route)(settings, where.name).entries = std::move(items);
  else
    std::get<Field<std::vector<std::string>>>(where.row.slot)(settings, where.name) =
        std::move(items);
  provenance.give(where.path, Given{Layer::File, place_of(node.spot),
                                    value_text(where.row, settings, where.name)});
}

void Reader::read_headers(const Node& node, const Where& where) {
  if (node.kind != Node::Kind::Map) return wrong_shape(node, where.path, "a map");
  auto& headers = std::get<Field<std::vector<Header>>>(where.row.slot)(settings, where.name);
  for (size_t i = 0; i < node.keys.size() && i < node.items.size(); ++i) {
    const auto& key = node.keys[i];
    const Where item{where.row, joined(where.path, key.name), where.name};
    if (auto fault = check_word(where.row.word, key.name)) {
      refuse(*fault, place_of(key.spot), item, "");
      continue;
    }
    std::string text;
    Header header{.name = key.name, .value = {}};
    if (!read_item(node.items[i], item, Word::Any, text)) continue;
    if (text.empty() && where.row.empty_is_none) {
      provenance.locate(item.path, place_of(key.spot));
      notes.push_back(fmt::format("`{}` is empty and left out", item.path));
      continue;
    }
    if (auto fault = assign(header.value, text, where.row.limits))
      refuse(*fault, place_of(node.items[i].spot), item, "");
    else
      headers.push_back(std::move(header));
  }
  provenance.give(where.path, Given{Layer::File, place_of(node.spot),
                                    value_text(where.row, settings, where.name)});
}

void Reader::read_words(const Node& node, const Where& where) {
  if (node.kind != Node::Kind::Map) return wrong_shape(node, where.path, "a map");
  auto& words = std::get<Field<WordMap>>(where.row.slot)(settings, where.name);
  for (size_t i = 0; i < node.keys.size() && i < node.items.size(); ++i) {
    const auto& key = node.keys[i];
    const Where item{where.row, joined(where.path, key.name), where.name};
    if (auto fault = check_word(Word::Name, key.name)) {
      refuse(*fault, place_of(key.spot), item, "");
      continue;
    }
    std::string text;
    if (!read_item(node.items[i], item, where.row.word, text)) continue;
    provenance.locate(item.path, place_of(key.spot));
    words.emplace_back(key.name, std::move(text));
  }
  provenance.give(where.path, Given{Layer::File, place_of(node.spot),
                                    value_text(where.row, settings, where.name)});
}

void Reader::read_subtree(const Node& node, const Where& where) {
  std::string json;
  if (!append_json(node, where, json)) return;
  std::get<Field<Subtree>>(where.row.slot)(settings, where.name).json = std::move(json);
  provenance.give(where.path, Given{Layer::File, place_of(node.spot),
                                    value_text(where.row, settings, where.name)});
}

// The node as JSON, every place in it noted, so that whoever reads it can say where a fault stands.
bool Reader::append_json(const Node& node, const Where& where, std::string& out) {
  provenance.locate(where.path, place_of(node.spot));
  bool good = true;
  switch (node.kind) {
    case Node::Kind::Null:
      out += "null";
      break;
    case Node::Kind::Scalar: {
      std::string text;
      if (!read_item(node, where, Word::Any, text)) return false;
      const bool literal = !node.quoted && is_json_literal(text);
      out += literal ? text : json_quoted(text);
      break;
    }
    case Node::Kind::List:
      for (size_t i = 0; i < node.items.size(); ++i) {
        out += i == 0 ? '[' : ',';
        const Where item{where.row, fmt::format("{}[{}]", where.path, i), where.name};
        good &= append_json(node.items[i], item, out);
      }
      out += node.items.empty() ? "[]" : "]";
      break;
    case Node::Kind::Map:
      for (size_t i = 0; i < node.keys.size() && i < node.items.size(); ++i) {
        out += i == 0 ? '{' : ',';
        out += json_quoted(node.keys[i].name) + ':';
        const Where item{where.row, joined(where.path, node.keys[i].name), where.name};
        provenance.locate_key(item.path, place_of(node.keys[i].spot));
        good &= append_json(node.items[i], item, out);
      }
      out += node.keys.empty() ? "{}" : "}";
      break;
  }
  return good;
}

}  // namespace sluice::app
