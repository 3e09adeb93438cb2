// Decoding of one request body; what responses::decode_request runs. Not for other rooms.
#pragma once

#include <string>
#include <string_view>

#include "wire/body_decoder.h"
#include "wire/chat.h"
#include "wire/json.h"

namespace sluice::responses {

struct Field;

class RequestDecoder final : public chat::BodyDecoder {
 public:
  explicit RequestDecoder(std::string_view body);

 private:
  bool member(const json::Text& key) override;
  bool complete() override;
  // Each reads one value and returns false if it is wrong.
  bool value_of(const Field& field);
  bool id_or_object(bool string_allowed, std::string* id);
  bool tool_choice();
  // responses_input.cc
  bool input();
  bool item();
  bool item_member(const json::Text& key, struct ItemHead* head);
  bool text_or_parts();
  bool part();
  // Neither an input nor what stands in for one.
  bool missing_input();

  chat::References references_;
  bool has_input_ = false;
  bool chat_shaped_ = false;  // has `messages`
  bool safety_identifier_ = false;
};

}  // namespace sluice::responses
