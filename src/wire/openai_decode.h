// Decoding of one request body; what openai::decode_request runs. Not for other rooms.
#pragma once

#include <optional>
#include <string_view>

#include "wire/body_decoder.h"
#include "wire/chat.h"
#include "wire/json.h"
#include "wire/openai_fields.h"

namespace sluice::openai {

class RequestDecoder final : public chat::BodyDecoder {
 public:
  RequestDecoder(chat::Endpoint endpoint, std::string_view body) : BodyDecoder(endpoint, body) {}

 private:
  bool member(const json::Text& key) override;
  bool complete() override;
  // Each reads one value and returns false if it is wrong.
  bool value_of(const Field& field);
  bool stream_options();
  bool include_usage();
  bool stop();
  // openai_messages.cc
  bool messages();
  bool message();
  bool content();
  bool part();
  bool prompt(bool null_allowed);
  bool prompt_element(json::Type* kind, bool nested);

  std::optional<int64_t> max_tokens_;
  std::optional<int64_t> max_completion_tokens_;
  bool has_prompt_ = false;          // messages, prompt or input, as the endpoint has it
  bool responses_shaped_ = false;    // `input` on the chat route
  bool stream_options_set_ = false;  // an object
  bool safety_identifier_ = false;
};

}  // namespace sluice::openai
