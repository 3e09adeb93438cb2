// Decoding of one request body; what responses::decode_request runs. Not for other rooms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/chat.h"
#include "wire/json.h"

namespace sluice::responses {

struct Field;

class RequestDecoder {
 public:
  explicit RequestDecoder(std::string_view body);
  Result<chat::Request> run();

 private:
  // Each reads one value and returns false if it is wrong; the first error stays.
  bool top_level();
  bool member(const json::Text& key);
  bool value_of(const Field& field);
  bool model();
  bool name_text(std::string* out);
  bool integer(const Field& field, std::optional<int64_t>* out);
  bool real(const Field& field);
  bool boolean_or_null(bool* out);
  bool of_type(json::Type type, std::string_view expected);
  bool id_or_object(bool string_allowed, std::string* id);
  bool tools();
  bool tool_choice();
  // responses_input.cc
  bool input();
  bool item();
  bool item_member(const json::Text& key, struct ItemHead* head);
  bool text_or_parts();
  bool parts();
  bool part();
  bool text_size();
  // After the walk: what has to be there.
  bool complete();

  bool fail(std::string message, std::string param);
  // "`input` must be <expected>, found a number at line 1, column 5 (byte 4)", for the value at
  // `start`.
  bool wrong(const char* start, std::string_view expected);
  bool missing(std::string_view name, std::string_view expected);
  size_t offset_of(const char* p) const { return static_cast<size_t>(p - body_.data()); }
  chat::Span span_since(const char* start) const;

  std::string_view body_;
  json::Reader reader_;
  chat::Request request_;
  chat::References references_;
  std::optional<Error> error_;
  bool has_model_ = false;
  bool has_input_ = false;
  bool chat_shaped_ = false;  // has `messages`
  bool safety_identifier_ = false;
};

}  // namespace sluice::responses
