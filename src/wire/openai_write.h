// A request of the middle form as a chat request of the OpenAI dialect.
#pragma once

#include "base/result.h"
#include "wire/conversation.h"

namespace sluice::openai {

// Writes a /v1/chat/completions body. Results of tools become `tool` messages before what else
// their turn says; images and files among them follow in a user message, for a `tool` message holds
// text alone. A result that is an error says so in its text. Reasoning of earlier turns, cache
// markers without TargetTraits::cache_breakpoints and everything else without a place is named in
// `dropped`: fields of messages without their position ("messages.content (thinking)"), each once.
// Error BadRequest: no message is left to send.
Result<chat::Translated> write_request(const chat::Conversation& conversation,
                                       const chat::TargetTraits& traits);

}  // namespace sluice::openai
