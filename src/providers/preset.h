// Ready-made settings of services that speak the OpenAI dialect: configuration only, no code.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "providers/credential.h"
#include "providers/kind.h"

namespace sluice::providers {

struct Preset {
  std::string_view name;      // "groq"
  std::string_view title;     // "Groq"
  std::string_view base_url;  // with {RESOURCE} where the account has a host of its own
  std::string_view key_env;   // variable its own tools read the key from; empty: needs no key
  AuthStyle auth;
  CallSet speaks;
  bool old_max_tokens = false;     // knows `max_tokens` and not `max_completion_tokens`
  bool no_stream_options = false;  // refuses `stream_options`, and reports usage unasked or never
  bool local = false;              // runs on the operator's own machines
};

std::span<const Preset> presets();
// Null: there is none of that name.
const Preset* preset_named(std::string_view name);
// The table as a Markdown page.
std::string presets_markdown();

}  // namespace sluice::providers
