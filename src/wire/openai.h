// The OpenAI dialect: /v1/chat/completions, /v1/completions, /v1/embeddings and /v1/models, as
// bytes and as chat:: values. Pure functions; streams are in wire/openai_stream.h.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"

namespace sluice::openai {

inline constexpr size_t kMaxModelName = 256;
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

// A body as slices of the client's bytes with a few bytes of ours between them: ready for writev.
// Views point into the request's body, the options' model and the Pieces' own memory; moving the
// Pieces keeps them valid.
class Pieces {
 public:
  static constexpr size_t kMax = 8;

  std::span<const std::string_view> slices() const { return {slices_.data(), count_}; }
  size_t size() const { return size_; }
  std::string str() const;

  // Requires: fewer than kMax slices so far. An empty slice is not added.
  void add(std::string_view slice);
  // Adds a slice of bytes that nobody else keeps.
  void add_owned(const std::string& slice);

 private:
  std::array<std::string_view, kMax> slices_;
  std::unique_ptr<char[]> owned_;
  size_t size_ = 0;
  size_t count_ = 0;
};

// The body for an upstream of the same dialect: byte for byte the client's, but for the model and
// the request for usage.
Pieces encode_request(const chat::Request& request, const EncodeOptions& options);

// Reads what the gateway needs from a buffered reply. Error UpstreamBadReply: this is no reply of
// the dialect (HTML, garbage, cut short). An error object is a Reply with is_error.
Result<chat::Reply> decode_reply(chat::Endpoint endpoint, std::string_view body);

// About 4 bytes of text a token, rounded up, and never more output than the limit: for exchanges
// whose upstream reported no usage. Good to a third for English, off by more for other scripts.
chat::Usage estimate_usage(int64_t prompt_bytes, int64_t output_bytes,
                           std::optional<int64_t> max_output);

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
