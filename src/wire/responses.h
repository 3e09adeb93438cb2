// OpenAI's Responses dialect: /v1/responses, as bytes and as chat:: values. Pure functions; streams
// are in wire/responses_stream.h (an upstream of the dialect) and wire/responses_writer.h (a client
// of the dialect, an upstream of another).
//
// Buffered errors are the OpenAI envelope: openai::encode_error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "base/result.h"
#include "wire/chat.h"
#include "wire/conversation.h"
#include "wire/openai.h"

namespace sluice::responses {

// Checks the whole body (JSON, no key twice where the gateway reads, types of the fields it reads)
// and takes from it what the gateway needs. Unknown fields and items pass. The Request borrows
// `body`.
Result<chat::Request> decode_request(std::string_view body);

// The body for an upstream of the same dialect: byte for byte the client's, but for the model and
// for reasoning that this gateway made from an answer of another dialect, which is left out: the
// upstream would refuse it (acceptance N8N-4). The result borrows the request's body and `model`.
openai::Pieces encode_request(const chat::Request& request, std::string_view model);

// The whole request, for a target that speaks another dialect. Error BadRequest, with the field as
// its param, for what only a Responses upstream can do: hosted tools, and whatever refers to
// something a provider keeps (previous_response_id, conversation, background, prompt, items by id).
// Requires: decode_request accepted `body`.
Result<chat::Conversation> read_conversation(std::string_view body);

// Reads what the gateway needs from a buffered reply. Error UpstreamBadReply: this is no reply of
// the dialect. An error object, a failed and a cancelled response are a Reply with is_error.
Result<chat::Reply> decode_reply(std::string_view body);

// What a response says of the request it answers, as members of a JSON object on one line: the
// client's own values where it gave any, the defaults of the dialect elsewhere; `store` is false,
// for nothing is kept. Requires: decode_request accepted `body`.
std::string read_echo(std::string_view body);

// What a response says besides its answer.
struct ResponseNames {
  std::string_view id;     // where the answer has none; not empty
  std::string_view model;  // likewise
  int64_t created = 0;     // likewise, seconds since 1970
  std::string_view echo;   // of read_echo
};

// The answer as a whole response object.
std::string write_answer(const chat::Answer& answer, const ResponseNames& names);

// The event that ends a stream after content was sent:
//   event: error
//   data: {"type":"error","sequence_number":N,"code","message","param","error":{envelope}}
// The members beside `error` are what the dialect documents; `error` is what makes the official
// SDKs raise an exception instead of handing on an event (acceptance SSE-7).
std::string encode_error_event(const Error& error, int64_t sequence_number);

// What an error in a response or a stream means.
Outcome outcome_of_error(std::string_view code, std::string_view type, std::string_view message);

}  // namespace sluice::responses
