// A prompt that does not fit the model's context window, in the words of every provider we know of
// (acceptance RET-3).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::providers {

// Both numbers only where the upstream told them.
struct Overflow {
  std::optional<int64_t> tokens;  // asked for
  std::optional<int64_t> limit;
};

// Nothing: the message is about something else.
std::optional<Overflow> read_overflow(std::string_view message);

}  // namespace sluice::providers
