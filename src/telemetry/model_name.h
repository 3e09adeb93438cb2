// How names of models are compared.
#pragma once

#include <string>
#include <string_view>

namespace sluice::telemetry {

// Vendors write one model in several ways: "Claude-Sonnet-4.5" is "claude-sonnet-4-5".
std::string normal_name(std::string_view name);
// Without "-2025-08-07", "-20250807" or "@20250807" at the end; the whole name if there is none.
std::string_view without_date(std::string_view model);

}  // namespace sluice::telemetry
