// A configuration file as a tree of nodes that remember where they stand. YAML and, as its subset,
// JSON. Differs from plain YAML in two ways: a key written twice is an error, and ${...} may stand
// unquoted inside {...} and [...].
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_diagnostic.h"

namespace sluice::app {

// Where a node begins (line and column from 1, the column in characters) and how many characters
// of that line it covers.
struct Spot {
  int line = 1;
  int column = 1;
  int length = 1;
};

struct Node {
  enum class Kind : uint8_t { Null, Scalar, List, Map };

  Kind kind = Kind::Null;
  Spot spot;
  std::string text;         // of a scalar, before substitution
  bool quoted = false;      // a scalar that is text whatever it looks like
  std::vector<Node> items;  // of a list; of a map: the values
  struct Key {
    std::string name;
    Spot spot;
  };
  std::vector<Key> keys;  // of a map: keys[i] belongs to items[i]
};

// "a map", "a list", "a value", "nothing".
std::string_view word_for(Node::Kind kind);

// The file's text split into lines, to quote from.
class SourceText {
 public:
  SourceText() = default;
  explicit SourceText(std::string_view text);
  // Without its line break; empty when there is no such line. Lines count from 1.
  std::string_view line(int number) const;
  int line_count() const { return static_cast<int>(lines_.size()); }

 private:
  std::vector<std::string> lines_;
};

struct Tree {
  std::optional<Node> root;  // absent when the text could not be read at all
  std::vector<Diagnostic> diagnostics;
  SourceText text;
};

// Reads `text`; `source` names it in diagnostics.
Tree parse_tree(std::string_view source, std::string_view text);

}  // namespace sluice::app
