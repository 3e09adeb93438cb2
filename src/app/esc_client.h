// The REST API of Pulumi ESC, as far as the gateway needs it: open an environment, get what is in
// it. Who it is and where stands in the environment, as for the esc CLI: PULUMI_ACCESS_TOKEN (or
// _FILE), PULUMI_BACKEND_URL, HTTPS_PROXY and NO_PROXY.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "app/config_substitute.h"
#include "base/result.h"
#include "base/secret.h"

namespace sluice::app {

// "acme/llm/prod", or with a version or tag: "acme/llm/prod@3", "acme/llm/prod@stable".
struct EscName {
  std::string path;     // "acme/llm/prod"
  std::string version;  // empty: the latest
};
std::optional<EscName> read_esc_name(std::string_view text);

// All that is in the environment, as esc_value.h reads it. Waits for the network; from any thread.
// Errors say why, with the API's own words where it gave some; never a value, never the token.
Result<Secret> open_esc(const EscName& name, const Surroundings& around,
                        const std::stop_token& stop = {});

}  // namespace sluice::app
