// The Anthropic Messages dialect to and from the middle form, for exchanges whose client and target
// speak different dialects. Pure functions; streams are in wire/anthropic_answer_stream.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/conversation.h"
#include "wire/reply_stream.h"

namespace sluice::anthropic {

// A request to /v1/messages or count_tokens. `system` becomes leading system messages, a plain-text
// document a text part, blocks of the provider's own tools Foreign parts. Errors are BadRequest and
// name the field.
Result<chat::Conversation> read_conversation(std::string_view body);

// The request for an Anthropic target. What the target has no place for is left out and named;
// what cannot be left out without changing the answer (`n`, audio, a tool call nobody answered) is
// an error BadRequest that names the field.
//
// Leading system messages are joined into `system`; turns of one role that follow each other are
// one; results of tools stand first in their turn, in the order of the calls; thinking goes only
// with its signature.
Result<chat::Translated> write_request(const chat::Conversation& conversation,
                                       const chat::TargetTraits& target);

// A whole reply. Error UpstreamBadReply: no reply of the dialect; the outcome of the error object
// if it is one. Blocks of the provider's own tools are left out.
Result<chat::Answer> read_answer(std::string_view body);

// A whole reply for a client of the dialect. `names` fills in what the answer does not say; an
// answer without usage gets an estimate, because the clients compute with it.
std::string write_answer(const chat::Answer& answer, const chat::StreamOptions& names);

// Between the provider's stop reasons and ours. `refusal` is ContentFilter; what neither knows is
// Unknown, and `native` is kept beside it (acceptance TR-11).
chat::Finish finish_of(std::string_view stop_reason);
// "end_turn", "max_tokens", "tool_use", "refusal", "stop_sequence"; empty for Unknown.
std::string_view stop_reason_of(chat::Finish finish, bool tool_calls, bool stop_sequence);

// {"stop_reason":...,"stop_sequence":...} without the braces; for an Unknown finish the reason is
// null and the upstream's own word stands in "native_finish_reason".
void append_stop(std::string& out, chat::Finish finish, std::string_view native,
                 std::string_view stop_sequence, bool tool_calls);

// `arguments` if they are a JSON object, else "{}".
std::string_view input_of(std::string_view arguments);

}  // namespace sluice::anthropic
