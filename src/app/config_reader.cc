#include "app/config_reader.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <type_traits>
#include <utility>

#include "app/config_names.h"

namespace sluice::app {
namespace {

constexpr size_t kLongestShownValue = 60;

// The keys directly below `pattern`, without their prefix.
std::vector<std::string_view> keys_under(std::string_view pattern) {
  std::vector<std::string_view> keys;
  for (const auto& row : properties()) {
    auto key = row.key;
    if (!pattern.empty()) {
      if (!key.starts_with(pattern) || key.size() <= pattern.size() || key[pattern.size()] != '.')
        continue;
      key.remove_prefix(pattern.size() + 1);
    }
    if (key.find('.') == std::string_view::npos && key != "*") keys.push_back(key);
  }
  return keys;
}

std::string joined(std::string_view prefix, std::string_view key) {
  return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
}

const Property* child(std::string_view pattern, std::string_view key) {
  const bool one_step = key.find('.') == std::string_view::npos && key != "*";
  return one_step ? property(joined(pattern, key)) : nullptr;
}

// A key that exists, but elsewhere: "`listen` belongs under `server`".
std::string where_it_belongs(std::string_view key) {
  if (property(key) != nullptr && key.find('.') != std::string_view::npos)
    return fmt::format("write nested maps instead: `{}:` below `{}:`", leaf_of(key),
                       key.substr(0, key.rfind('.')));
  for (const auto& row : properties()) {
    if (row.key == key || leaf_of(row.key) != key || key == "*") continue;
    return fmt::format("`{}` belongs under `{}`", key,
                       row.key.substr(0, row.key.size() - key.size() - 1));
  }
  return "";
}

// "${NAME}" or "${file:/path}": says where a secret is, not what it is.
bool is_mere_reference(std::string_view text) {
  return text.starts_with("${") && text.find('}') == text.size() - 1 &&
         text.find(":-") == std::string_view::npos;
}

// Header fields the gateway writes itself; a second copy would make the request ambiguous.
bool is_our_header(std::string_view name) {
  constexpr auto kOurs = std::to_array<std::string_view>(
      {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
       "trailer", "expect", "proxy-connection", "proxy-authorization", "accept-encoding"});
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return std::find(kOurs.begin(), kOurs.end(), lower) != kOurs.end();
}

}  // namespace

std::optional<Fault> check_word(Word word, std::string_view text) {
  switch (word) {
    case Word::Any:
      return std::nullopt;
    case Word::Name:
      if (is_name(text)) return std::nullopt;
      return Fault{Rule::BadName, "a name consists of letters, digits, '.', '_' and '-'"};
    case Word::Target:
      if (text.ends_with("/*") && is_name(text.substr(0, text.size() - 2))) return std::nullopt;
      [[fallthrough]];
    case Word::Model:
      if (is_name(text, "/:@+")) return std::nullopt;
      return Fault{Rule::BadName, "a model's name consists of letters, digits and ./:@+_-"};
    case Word::HeaderName:
      if (!is_header_name(text)) return Fault{Rule::BadName, "not a header field's name"};
      if (is_our_header(text))
        return Fault{Rule::BadName, "the gateway itself owns this header field"};
      return std::nullopt;
  }
  return std::nullopt;
}

Place Reader::place_of(const Spot& spot) const {
  return Place{file_name_, spot.line, spot.column, spot.length};
}

void Reader::complain(Rule rule, Place place, std::string key, std::string message,
                      std::string hint) {
  if (place.source.empty()) place.source = file_name_;
  diagnostics.push_back(Diagnostic{.rule = rule,
                                   .place = std::move(place),
                                   .key = std::move(key),
                                   .message = std::move(message),
                                   .hint = std::move(hint),
                                   .excerpt = ""});
}

void Reader::refuse(const Fault& fault, const Place& place, const Where& where,
                    std::string_view shown_value) {
  std::string value;
  if (!shown_value.empty() && shown_value.size() <= kLongestShownValue && !where.row.secret)
    value = fmt::format(" `{}`", shown_value);
  complain(fault.rule, place, where.path,
           fmt::format("`{}`{}: {}", where.path, value, fault.message), fault.hint);
}

void Reader::blot(const Node& node) {
  if (node.kind == Node::Kind::Scalar && !is_mere_reference(node.text)) blots.push_back(node.spot);
  for (const auto& item : node.items) blot(item);
}

void Reader::seal(const Where& where, const Substituted& text) {
  if (text.sealed) settings.sealed.insert(path_of(where.row, where.name));
  settings.stored_secrets.insert(text.secrets.begin(), text.secrets.end());
}

bool Reader::complained_about(std::string_view path) const {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [path](const Diagnostic& diagnostic) { return diagnostic.key == path; });
}

void Reader::read_defaults() {
  for (const auto& row : properties())
    if (!row.fallback.empty() && row.key.find('*') == std::string_view::npos)
      give(row, "", row.fallback, Layer::Default, "default");
}

void Reader::add_entry(const Property& each, std::string_view name) {
  if (!entries_.insert(joined(each.key, name)).second) return;
  const std::string below = fmt::format("{}.*.", each.key);
  for (const auto& row : properties())
    if (row.key.starts_with(below) && !row.fallback.empty())
      give(row, name, row.fallback, Layer::Default, "default");
}

void Reader::read_file(const Node& root) {
  if (root.kind == Node::Kind::Null) return;
  if (root.kind != Node::Kind::Map)
    return complain(Rule::NotOneMap, place_of(root.spot), "",
                    fmt::format("expected a map of settings, not {}", word_for(root.kind)));
  for (size_t i = 0; i < root.keys.size() && i < root.items.size(); ++i) {
    const auto& key = root.keys[i];
    if (const auto* row = child("", key.name))
      read_child(root, i, Where{*row, std::string(row->key), ""});
    else
      unknown_key(key, root.items[i], "", key.name);
  }
}

void Reader::read_child(const Node& map, size_t i, const Where& where) {
  if (is_section(where.row)) provenance.locate(where.path, place_of(map.keys[i].spot));
  read_node(map.items[i], where);
}

void Reader::read_node(const Node& node, const Where& where) {
  const auto& slot = where.row.slot;
  const bool misplaced = is_section(where.row) && node.kind != Node::Kind::Map;
  if (where.row.secret || (misplaced && holds_secrets(where.row))) blot(node);
  if (std::holds_alternative<Group>(slot)) return read_group(node, where);
  if (std::holds_alternative<Each>(slot)) return read_each(node, where);
  if (std::holds_alternative<Field<std::vector<Header>>>(slot)) return read_headers(node, where);
  if (std::holds_alternative<Field<WordMap>>(slot)) return read_words(node, where);
  if (std::holds_alternative<Field<Subtree>>(slot)) return read_subtree(node, where);
  if (std::holds_alternative<Field<std::vector<std::string>>>(slot) ||
      std::holds_alternative<Field<Route>>(slot))
    return read_list(node, where);
  read_value(node, where);
}

void Reader::read_group(const Node& map, const Where& where) {
  if (map.kind != Node::Kind::Null && map.kind != Node::Kind::Map)
    return wrong_shape(map, where.path, "a map");
  for (size_t i = 0; i < map.keys.size() && i < map.items.size(); ++i) {
    const auto& key = map.keys[i];
    std::string path = joined(where.path, key.name);
    if (const auto* row = child(where.row.key, key.name))
      read_child(map, i, Where{*row, std::move(path), where.name});
    else
      unknown_key(key, map.items[i], where.row.key, path);
  }
}

void Reader::read_each(const Node& map, const Where& where) {
  if (map.kind != Node::Kind::Null && map.kind != Node::Kind::Map)
    return wrong_shape(map, where.path, "a map");
  const auto* entry = property(joined(where.row.key, "*"));
  for (size_t i = 0; i < map.keys.size() && i < map.items.size(); ++i) {
    const auto& key = map.keys[i];
    std::string path = joined(where.path, key.name);
    if (auto fault = check_word(where.row.word, key.name)) {
      if (holds_secrets(*entry)) blot(map.items[i]);
      complain(fault->rule, place_of(key.spot), path, fmt::format("`{}`: {}", path, fault->message),
               fault->hint);
      continue;
    }
    provenance.locate(path, place_of(key.spot));
    add_entry(where.row, key.name);
    read_node(map.items[i], Where{*entry, std::move(path), key.name});
  }
}

void Reader::unknown_key(const Node::Key& key, const Node& value, std::string_view under,
                         const std::string& path) {
  const auto siblings = keys_under(under);
  std::string hint = where_it_belongs(key.name);
  std::string meant = nearest_word(key.name, siblings);
  if (!meant.empty() && key.name.find('.') == std::string::npos)
    hint = fmt::format("did you mean `{}`?", meant);
  // Perhaps a mistyped api_key.
  const auto* row = meant.empty() ? nullptr : property(joined(under, meant));
  if (hint.empty() || (row != nullptr && holds_secrets(*row))) blot(value);
  if (hint.empty()) hint = fmt::format("known here: {}", listed(siblings));
  complain(Rule::UnknownKey, place_of(key.spot), path, fmt::format("unknown key `{}`", key.name),
           std::move(hint));
}

void Reader::wrong_shape(const Node& node, const std::string& path, std::string_view expected) {
  complain(Rule::WrongShape, place_of(node.spot), path,
           fmt::format("`{}` must be {}, not {}", path, expected, word_for(node.kind)));
}

std::optional<Fault> Reader::assign_to(const Where& where, std::string_view text) {
  if (auto fault = check_word(where.row.word, text)) return fault;
  return std::visit(
      [&](auto slot) -> std::optional<Fault> {
        if constexpr (requires { assign(slot(settings, where.name), text, where.row.limits); })
          return assign(slot(settings, where.name), text, where.row.limits);
        else
          return Fault{Rule::WrongShape, "cannot be given as one value"};
      },
      where.row.slot);
}

void Reader::read_value(const Node& node, const Where& where) {
  if (where.row.empty_is_none && node.kind == Node::Kind::Null) return;
  if (node.kind != Node::Kind::Scalar) return wrong_shape(node, where.path, "a value");
  const auto place = place_of(node.spot);
  const auto text = substitute(node.text, around_);
  if (text.fault) return refuse(*text.fault, place, where, "");
  if (where.row.empty_is_none && text.text.empty()) return;
  seal(where, text);
  if (auto fault = assign_to(where, text.text)) {
    // What a variable holds may be a secret that strayed; a URL may hold a password.
    if (node.text.find('@') != std::string::npos) blot(node);
    const bool quotable = text.from.empty() && node.text.find('@') == std::string::npos;
    if (!text.from.empty()) fault->message += fmt::format(" (the value of {})", text.from.front());
    return refuse(*fault, place, where, quotable ? std::string_view(node.text) : "");
  }
  if (text.from.empty() && std::holds_alternative<Field<Secret>>(where.row.slot))
    complain(Rule::LiteralSecret, place, where.path,
             fmt::format("`{}` stands in the file itself", where.path),
             "write ${NAME} or ${file:/path} instead");
  std::string shown = value_text(where.row, settings, where.name);
  if (!text.from.empty()) shown += fmt::format(" (from {})", text.from.front());
  provenance.give(where.path, Given{Layer::File, place, std::move(shown)});
}

void Reader::give(const Property& row, std::string_view name, std::string_view text, Layer layer,
                  std::string source) {
  const size_t star = row.key.find(".*");
  if (star != std::string_view::npos) {
    const auto each = row.key.substr(0, star);
    add_entry(*property(each), name);
    provenance.locate(joined(each, name), Place{.source = source});
  }
  const Where where{row, path_of(row, name), std::string(name)};
  Place place{.source = std::move(source)};
  if (auto fault = assign_to(where, text))
    // The environment may hold secrets under any name; a flag was typed in plain sight.
    return refuse(*fault, place, where, layer == Layer::Environment ? "" : text);
  provenance.give(where.path, Given{layer, std::move(place), value_text(row, settings, name)});
}

void Reader::read_environment() {
  for (const auto& row : properties()) {
    const std::string name = env_name(row);
    if (name.empty()) continue;
    auto found = look_up(name, around_);
    const std::string source = fmt::format("environment {}", found.name);
    if (found.fault)
      complain(found.fault->rule, Place{.source = source}, std::string(row.key),
               fmt::format("`{}`: {}", row.key, found.fault->message));
    else if (found.value)
      give(row, "", *found.value, Layer::Environment, source);
  }
}

void Reader::read_override(std::string_view key, std::string_view value, std::string_view flag) {
  const auto found = match(key);
  std::string source = fmt::format("command line {}", flag);
  if (found.row == nullptr || is_section(*found.row) || !found.name.empty())
    return complain(Rule::UnknownKey, Place{.source = std::move(source)}, std::string(key),
                    fmt::format("`{}` cannot be set on the command line", key));
  give(*found.row, "", value, Layer::CommandLine, std::move(source));
}

}  // namespace sluice::app
