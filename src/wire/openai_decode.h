// Decoding of one request body; what openai::decode_request runs. Not for other rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"
#include "wire/json.h"
#include "wire/openai_fields.h"

namespace sluice::openai {

class RequestDecoder {
 public:
  RequestDecoder(chat::Endpoint endpoint, std::string_view body);
  Result<chat::Request> run();

 private:
  // Each reads one value and returns false if it is wrong; the first error stays.
  bool top_level();
  bool member(const json::Text& key);
  bool value_of(const Field& field);
  bool model();
  bool stream_options();
  bool include_usage();
  bool name_text(std::string* out);
  bool integer(const Field& field, std::optional<int64_t>* out);
  bool real(const Field& field);
  bool boolean_or_null(bool* out);
  bool of_type(json::Type type, std::string_view expected);
  bool stop();
  bool tools();
  // openai_messages.cc
  bool messages();
  bool message();
  bool content();
  bool part();
  bool prompt(bool null_allowed);
  bool prompt_element(json::Type* kind, bool nested);
  bool text_size();
  // After the walk: what has to be there, and what excludes what.
  bool complete();

  bool fail(std::string message, std::string param);
  // "`n` must be <expected>, found a string (line 1, column 5 (byte 4))", for the value at `start`.
  bool wrong(const char* start, std::string_view expected);
  bool missing(std::string_view name, std::string_view expected);
  size_t offset_of(const char* p) const { return static_cast<size_t>(p - body_.data()); }
  chat::Span span_since(const char* start) const;

  std::string_view body_;
  json::Reader reader_;
  chat::Request request_;
  std::optional<int64_t> max_tokens_;
  std::optional<int64_t> max_completion_tokens_;
  std::optional<Error> error_;
  bool has_model_ = false;
  bool has_prompt_ = false;          // messages, prompt or input, as the endpoint has it
  bool responses_shaped_ = false;    // `input` on the chat route
  bool stream_options_set_ = false;  // an object
  bool safety_identifier_ = false;
};

}  // namespace sluice::openai
