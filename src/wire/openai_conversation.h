// A chat request of the OpenAI dialect in the middle form, for a target of another dialect.
#pragma once

#include <string_view>

#include "base/result.h"
#include "wire/conversation.h"

namespace sluice::openai {

// Reads a whole /v1/chat/completions body. `developer` reads as System. Results of tools become
// User messages, consecutive ones one message. The deprecated functions and function_call read as
// tools; a tool choice of `allowed_tools` leaves only those tools. `reasoning_content` of an
// assistant's turn is Thinking. Cache markers (`cache_control`, `prompt_cache_breakpoint`) become
// {"type":"ephemeral"} objects. What the middle form has no member for is in `unmapped`, unless it
// asks for nothing (null, false, {}, []).
// Error BadRequest: what decode_request refuses, and messages or tools nobody can read; `param`
// says where.
Result<chat::Conversation> read_conversation(std::string_view body);

}  // namespace sluice::openai
