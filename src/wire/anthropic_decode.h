// Decoding of one request body; what anthropic::decode_request runs. Not for other rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"
#include "wire/json.h"

namespace sluice::anthropic {

struct Field;

class RequestDecoder {
 public:
  RequestDecoder(chat::Endpoint endpoint, std::string_view body);
  Result<chat::Request> run();

 private:
  // Each reads one value and returns false if it is wrong; the first error stays.
  bool top_level();
  bool value_of(const Field& field);
  bool model();
  bool max_tokens();
  bool boolean();
  bool number(const Field& field);
  bool of_type(json::Type type, std::string_view expected);
  bool strings();
  bool metadata();
  bool tools();
  bool messages();
  bool message();
  // A string or an array of blocks; what of it is text adds to the prompt's size.
  bool content();
  bool block();
  bool block_member(const json::Text& key, bool* has_type);
  bool source();
  bool text_size();
  bool complete();

  bool fail(std::string message, std::string param);
  // For the value at `start`, which is none of the `expected`.
  bool wrong(const char* start, std::string_view expected);
  bool missing(const std::string& name, std::string_view expected);
  size_t offset_of(const char* p) const { return static_cast<size_t>(p - body_.data()); }

  std::string_view body_;
  json::Reader reader_;
  chat::Request request_;
  std::optional<Error> error_;
  bool has_model_ = false;
  bool has_messages_ = false;
};

}  // namespace sluice::anthropic
