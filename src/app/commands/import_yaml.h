// A configuration about to be written: values, lists and maps with comments, as YAML for people.
// Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_tree.h"

namespace sluice::app {

struct YamlItem {
  enum class Kind : uint8_t { Scalar, List, Map };

  // A word that stands for itself: quoted where YAML would read it as something else.
  static YamlItem text(std::string_view word);
  // Written as it is: a number, a switch, a reference to a variable.
  static YamlItem raw(std::string word) { return {.scalar = std::move(word)}; }
  static YamlItem list(std::vector<YamlItem> items) {
    return {.kind = Kind::List, .items = std::move(items)};
  }
  static YamlItem map() { return {.kind = Kind::Map}; }
  // The same again, with nothing in it that Sluice would take for a variable.
  static YamlItem copy_of(const Node& node);

  // Of a map.
  YamlItem& add(std::string_view key, YamlItem item);
  bool empty() const { return kind != Kind::Scalar && items.empty(); }

  Kind kind = Kind::Scalar;
  std::string scalar;
  std::vector<std::string> keys;  // of a map: keys[i] belongs to items[i]
  std::vector<YamlItem> items;
  std::string comment;  // a line above it; of a map's member or a list's item
};

// `root` is a map. Ends with a line break.
std::string yaml_of(const YamlItem& root);
// `node` as JSON.
std::string json_of(const Node& node);

}  // namespace sluice::app
