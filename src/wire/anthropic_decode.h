// Decoding of one request body; what anthropic::decode_request runs. Not for other rooms.
#pragma once

#include <string>
#include <string_view>

#include "wire/body_decoder.h"
#include "wire/chat.h"
#include "wire/json.h"

namespace sluice::anthropic {

struct Field;

class RequestDecoder final : public chat::BodyDecoder {
 public:
  RequestDecoder(chat::Endpoint endpoint, std::string_view body) : BodyDecoder(endpoint, body) {}

 private:
  bool member(const json::Text& key) override;
  bool complete() override;
  std::string found_at_top() const override;
  // Each reads one value and returns false if it is wrong.
  bool value_of(const Field& field);
  bool strings();
  bool metadata();
  // anthropic_messages.cc
  bool messages();
  bool message();
  // A string or an array of blocks; what of it is text adds to the prompt's size.
  bool content();
  bool block();
  bool block_member(const json::Text& key, bool* has_type);
  bool source();

  bool has_messages_ = false;
};

}  // namespace sluice::anthropic
