// One target of a Portkey config: who it is for Sluice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/commands/import_draft.h"

namespace sluice::app {

// The route that an import makes, and the task where callers name the model themselves.
inline constexpr std::string_view kPortkeyRoute = "imported";

// What targets take from the nodes around them.
struct PortkeyInherited {
  std::string model;
  std::vector<std::string> forward_headers;
};

// "provider/model", or "provider/*" where the config names no model; the provider is in `draft`.
std::string portkey_target(const Node& map, const std::string& path, const PortkeyInherited& from,
                           Draft& draft);

}  // namespace sluice::app
