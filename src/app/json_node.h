// JSON bodies as the nodes that the configuration is read from, and back. Numbers keep the digits
// they were written with. Nodes stand nowhere: a body has no lines that anybody would look up.
#pragma once

#include <string>
#include <string_view>

#include "app/config_tree.h"
#include "base/result.h"

namespace sluice::app {

// Errors: no JSON, or a name written twice.
Result<Node> node_of_json(std::string_view text);
// Without white space.
std::string compact_json(const Node& node);

// The value of that name; null: there is none. Requires: a map.
const Node* find_member(const Node& map, std::string_view name);
Node* find_member(Node& map, std::string_view name);
void set_member(Node& map, std::string_view name, Node value);
void remove_member(Node& map, std::string_view name);
Node text_node(std::string_view text);

// JSON Merge Patch (RFC 7396): null takes a member away, maps are merged, all else is replaced.
void merge_patch(Node& to, const Node& patch);

// The same with every `$` doubled: what the reader of configurations takes for a plain one, so that
// ${NAME} in a body never reads the gateway's environment.
Node without_references(Node node);

}  // namespace sluice::app
