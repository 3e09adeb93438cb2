// The Anthropic Messages dialect, as a client's and as an upstream's: /v1/messages,
// /v1/messages/count_tokens and /v1/models, as bytes and as chat:: values. Pure functions; streams
// are in wire/anthropic_stream.h, what changes dialect in wire/anthropic_conversation.h.
//
// Facts of the format: the vendor's API reference for the versions 2023-06-01 and 2026-10-21.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"
#include "wire/conversation.h"
#include "wire/pieces.h"

namespace sluice::anthropic {

// Checks the whole body (JSON, no key twice at the top, types of the fields the gateway reads or
// the provider always refuses) and takes from it what the gateway needs. Unknown fields and unknown
// blocks pass. `endpoint` is Messages or CountTokens, which needs no max_tokens. The Request
// borrows `body`. Errors are BadRequest and name the field.
Result<chat::Request> decode_request(chat::Endpoint endpoint, std::string_view body);

// The body for an upstream of the same dialect: byte for byte the client's, but for the model,
// which must outlive the Pieces.
chat::Pieces encode_request(const chat::Request& request, std::string_view model);

// Thoughts that a provider of another dialect has told carry no signature. Anthropic refuses a
// request that brings them back, so they are taken out, and a message of nothing else with them;
// all else stays byte for byte (acceptance TR-8). Requires: decode_request has accepted the body.
bool may_hold_unsigned_thoughts(std::string_view body);  // quick; false is certain
std::string without_unsigned_thoughts(std::string_view body);

// Reads what the gateway needs from a buffered reply to /v1/messages. Error UpstreamBadReply: this
// is no reply of the dialect (HTML, garbage, cut short). An error object is a Reply with is_error.
Result<chat::Reply> decode_reply(std::string_view body);

// {"input_tokens":57}: the reply to count_tokens. Error UpstreamBadReply: it is something else.
Result<int64_t> decode_count(std::string_view body);
std::string encode_count(int64_t input_tokens);

// {"type":"error","error":{"type","message"},"request_id"}, with type by outcome; an empty id is
// null. A ContextOverflow is worded as the provider words it ("prompt is too long: 210000 tokens >
// 200000 maximum") where the message has the numbers, because clients read them from there.
std::string encode_error(const Error& error, std::string_view request_id);
// The same as the last event of a stream that failed: no message_stop follows.
std::string encode_error_event(const Error& error, std::string_view request_id);
std::string_view error_type_of(Outcome outcome);
// As http_status_of, but as this dialect has it 529 for whatever is overloaded, and 404 for an
// unknown model.
int status_of(Outcome outcome);

// What a provider's error means, from its type and message.
Outcome outcome_of_error(std::string_view type, std::string_view message);

struct Model {
  std::string_view id;
  std::string_view display_name;  // the id where empty
  int64_t created = 0;            // seconds since 1970
};
// One page that holds all: {"data":[{"type":"model","id","display_name","created_at"}],
// "has_more":false,"first_id","last_id"}.
std::string encode_models(std::span<const Model> models);
std::string encode_model(const Model& model);

}  // namespace sluice::anthropic
