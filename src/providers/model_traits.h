// What a model wants that cannot be read from its dialect: one table, from names of models as
// every provider writes them. Names that nobody listed get the traits of the newest of their
// family, because that is what they will be.
#pragma once

#include <string_view>

#include "wire/conversation.h"

namespace sluice::providers {

struct ModelTraits {
  bool reasons = false;           // thinks before it speaks, unasked: may be silent for long
  bool completion_tokens = true;  // max_completion_tokens, not the older max_tokens
  bool fixed_sampling = false;    // refuses temperature and top_p
  bool system_in_turn = false;    // takes system messages in the middle of a conversation
  bool effort = false;            // output_config.effort and adaptive thinking (Anthropic)
  bool output_schema = false;     // output_config.format (Anthropic)
};

// `model` may carry a vendor or a provider in front ("anthropic/claude-haiku-4-5", "@slug/gpt-5")
// and a date or variant behind.
ModelTraits traits_of(std::string_view model);

}  // namespace sluice::providers
