// A refusal that names the field at fault and may be answered by sending the request once more
// without it (acceptance TR-2).
#pragma once

#include <optional>
#include <string_view>

#include "providers/error_body.h"

namespace sluice::providers {

// Views into static memory.
struct WantedField {
  std::string_view reject;  // "max_tokens", "max_completion_tokens", "temperature", "top_p",
                            // "top_k", "stream_options"
  std::string_view use;     // what it is called here; empty: leave it out
};

// For a 400 or 422.
std::optional<WantedField> read_wanted_field(const ErrorBody& body);

}  // namespace sluice::providers
