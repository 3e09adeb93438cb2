// The OpenAI dialect: /v1/chat/completions, /v1/completions, /v1/embeddings and /v1/models, as
// bytes and as chat:: values. Pure functions; streams are in wire/openai_stream.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"
#include "wire/pieces.h"

namespace sluice::openai {

inline constexpr size_t kMaxInputs = 2048;   // entries of an embeddings `input`
inline constexpr int64_t kMaxChoices = 128;  // `n`

// Checks the whole body (JSON, no key twice where the gateway reads, types of the fields it reads
// or the provider always refuses) and takes from it what the gateway needs. Unknown fields pass.
// The Request borrows `body`.
Result<chat::Request> decode_request(chat::Endpoint endpoint, std::string_view body);

struct EncodeOptions {
  std::string_view model;  // as the target calls it; must outlive the Pieces
  bool ask_usage = false;  // have a streamed reply end with its usage
};

using chat::Pieces;

// The body for an upstream of the same dialect: byte for byte the client's, but for the model and
// the request for usage.
Pieces encode_request(const chat::Request& request, const EncodeOptions& options);

// Reads what the gateway needs from a buffered reply. Error UpstreamBadReply: this is no reply of
// the dialect (HTML, garbage, cut short). An error object is a Reply with is_error.
Result<chat::Reply> decode_reply(chat::Endpoint endpoint, std::string_view body);

// {"error":{"message","type","param","code"}}, with type and code by outcome.
std::string encode_error(const Error& error);
// The parts of that envelope; an empty param or code is null.
struct ErrorParts {
  std::string_view message;
  std::string_view type;
  std::string_view param;
  std::string_view code;
};
std::string encode_error(const ErrorParts& parts);
// The envelope as a stream event, for a stream that fails after content was sent: the last event,
// no [DONE] follows.
std::string encode_error_event(const Error& error);
std::string encode_error_event(const ErrorParts& parts);
std::string_view error_type_of(Outcome outcome);
std::string_view error_code_of(Outcome outcome);  // may be empty

// What a provider's in-band error means, from its code (a number or a word) and type.
Outcome outcome_of_error(std::string_view code, std::string_view type);

struct Model {
  std::string_view id;
  int64_t created = 0;
  std::string_view owned_by;
};
std::string encode_models(std::span<const Model> models);
std::string encode_model(const Model& model);

}  // namespace sluice::openai
