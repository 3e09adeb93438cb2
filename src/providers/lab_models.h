// The models the lab lists, what they do, and the price the lab's own meter asks for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::providers {

// Nano-dollars per token, so that a dollar per million tokens is 1,000 and every cost is a whole
// number.
struct LabPrice {
  int64_t input = 0;
  int64_t cached_input = 0;
  int64_t output = 0;
  int64_t cache_write = 0;     // of what stays for five minutes
  int64_t cache_write_1h = 0;  // of what stays for an hour

  constexpr LabPrice times(int64_t factor) const {
    return {.input = input * factor,
            .cached_input = cached_input * factor,
            .output = output * factor,
            .cache_write = cache_write * factor,
            .cache_write_1h = cache_write_1h * factor};
  }
};

struct LabModel {
  std::string_view name;  // without "lab/"
  std::string_view doc;
  LabPrice price;
  int64_t context = 128'000;  // tokens of prompt and reply together
  int64_t most_output = 100'000;
  int64_t reasoning = 0;      // tokens it thinks before it speaks, whether asked or not
  int64_t thinks = 0;         // tokens it thinks when it is asked to
  int64_t tokens = 0;         // of a reply; 0: 24 to 63, by the request
  int64_t interval_ms = 0;    // between two tokens
  int64_t dimensions = 0;     // of an embedding; 0: not an embedding model
  bool always_calls = false;  // calls the tools it is given without being asked
  bool repeats = false;       // answers with the last message of the user
  // As the models after Claude Opus 4.6: no sampling parameters, no prefill, thinking only
  // adaptive, system messages among the turns.
  bool modern = false;
};

std::span<const LabModel> lab_models();
// By name, with or without "lab/"; null for none.
const LabModel* lab_model(std::string_view name);
// "lab/reset-after-3" -> "reset-after-3".
std::string_view lab_short_name(std::string_view name);

}  // namespace sluice::providers
