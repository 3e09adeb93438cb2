// A whole answer of the OpenAI chat dialect, read into the middle form and written from it. Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/conversation.h"
#include "wire/openai_write_json.h"

namespace sluice::openai {

// Reads a chat.completion: its first choice. Reasoning is taken from `reasoning_content`, else from
// `reasoning`. Errors: what the error object inside a 200 means, or UpstreamBadReply.
Result<chat::Answer> read_answer(std::string_view body);

// What stands in an answer's head where the answer itself does not say.
struct AnswerNames {
  std::string_view id;
  std::string_view model;
  int64_t created = 0;
};

// A chat.completion with one choice. Thinking stands in `reasoning_content` alone (acceptance
// AG-9); signatures and encrypted reasoning have no place and are left out. A finish this dialect
// has no word for goes through as the provider wrote it, and once more in `native_finish_reason`.
std::string write_answer(const chat::Answer& answer, const AnswerNames& names);

// "stop" is Stop; Unknown for a word this dialect does not have.
chat::Finish finish_named(std::string_view word);
// `finish_reason`, and `native_finish_reason` if the former has no word of ours.
void write_finish(JsonWriter& json, chat::Finish finish, std::string_view native);
// {"prompt_tokens",...}: cache reads and writes are part of prompt_tokens, reasoning of
// completion_tokens.
void write_usage(JsonWriter& json, const chat::Usage& usage);

}  // namespace sluice::openai
