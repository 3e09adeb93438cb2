// `sluice check FILE`, `sluice explain CODE`, `sluice config explain KEY`, `sluice schema`: what an
// operator asks of a configuration before, or instead of, starting the gateway. Pure: text and exit
// code come back, the caller prints. Nothing here touches the network but
// what the surroundings open Pulumi ESC with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/config.h"

namespace sluice::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitInvalid = 2;  // wrong usage or invalid configuration

struct CommandResult {
  int exit_code = kExitOk;
  std::string out;  // for stdout
  std::string err;  // for stderr
};

// All that is wrong with a configuration, for people or programs; with `priced` also which of its
// models nobody has heard of or has no price for.
CommandResult check(LoadInput input, DiagnosticFormat format, PricedWith priced = {});

// One rule in full: "SL201", "sl201" or "201".
CommandResult explain_rule(std::string_view code);

enum class ExplainFormat : uint8_t { Text, Json };

// CFG-1: value, deciding source, shadowed values; for a section, of all settings below it; with an
// empty key of all there are, a line each.
CommandResult explain_key(const LoadInput& input, std::string_view key, ExplainFormat format);

}  // namespace sluice::app
