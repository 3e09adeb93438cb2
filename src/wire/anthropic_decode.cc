#include "wire/anthropic_decode.h"

#include <array>

#include "wire/anthropic.h"
#include "wire/name_table.h"

namespace sluice::anthropic {

using json::Text;
using json::Type;

// What the value of a top-level field may be. Null is left to the provider: some SDKs send it for
// what was not set.
enum class Rule : uint8_t {
  Model,
  Messages,
  System,
  MaxTokens,
  Stream,
  Tools,
  Metadata,
  Strings,
  Number,  // within the bounds
  ServiceTier,
  Object,
};

struct Field {
  std::string_view name;
  Rule rule = Rule::Object;
  chat::Bounds bounds = {};
};

namespace {

constexpr int64_t kAny = chat::Bounds::kAny;

// Everything not in here is carried unread.
constexpr chat::NameTable kFields(std::to_array<Field>({
    {"model", Rule::Model},
    {"messages", Rule::Messages},
    {"max_tokens", Rule::MaxTokens, {0, kAny}},  // 0 only warms the prompt cache
    {"system", Rule::System},
    {"stream", Rule::Stream},
    {"tools", Rule::Tools},
    {"tool_choice", Rule::Object},
    {"metadata", Rule::Metadata},
    {"temperature", Rule::Number, {0, 1}},
    {"top_p", Rule::Number, {0, 1}},
    {"top_k", Rule::Number, {0, kAny}},
    {"stop_sequences", Rule::Strings},
    {"thinking", Rule::Object},
    {"output_config", Rule::Object},
    {"cache_control", Rule::Object},
    {"service_tier", Rule::ServiceTier},
}));

}  // namespace

bool RequestDecoder::member(const Text& key) {
  const Field* field = key.escaped ? kFields.find(key.str()) : kFields.find(key.raw);
  return field != nullptr ? value_of(*field) : reader_.skip();
}

// A number by its type alone, like all else.
std::string RequestDecoder::found_at_top() const {
  return std::string(json::name_of(json::Reader(body_).peek()));
}

bool RequestDecoder::value_of(const Field& field) {
  switch (field.rule) {
    case Rule::Model:
      return model();
    case Rule::Messages:
      return messages();
    case Rule::System:
      return reader_.peek() == Type::Null ? reader_.null() : content();
    case Rule::MaxTokens:
      return integer(field.bounds, &request_.max_output_tokens);
    case Rule::Stream:
      return boolean(&request_.stream, "a boolean");
    case Rule::Tools:
      return tools();
    case Rule::Metadata:
      return metadata();
    case Rule::Strings:
      return strings();
    case Rule::Number:
      return real(field.bounds);
    case Rule::ServiceTier:
      return service_tier("a string");
    case Rule::Object:
      return of_type(Type::Object, "an object");
  }
  return false;
}

bool RequestDecoder::strings() {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Array) return wrong(reader_.pointer(), "an array of strings");
  return elements([this] {
    return reader_.peek() == Type::String ? reader_.skip() : wrong(reader_.pointer(), "a string");
  });
}

bool RequestDecoder::metadata() {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Object) return wrong(reader_.pointer(), "an object");
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    if (!(key.is("user_id") ? text(&request_.user, "a string") : reader_.skip())) return false;
  }
  return !reader_.failed();
}

bool RequestDecoder::complete() {
  if (!has_messages_) return missing("messages", "an array of messages that is not empty");
  if (request_.endpoint == chat::Endpoint::Messages && !request_.max_output_tokens) {
    return missing("max_tokens", "an integer of at least 0");
  }
  return true;
}

Result<chat::Request> decode_request(chat::Endpoint endpoint, std::string_view body) {
  return RequestDecoder(endpoint, body).run();
}

chat::Pieces encode_request(const chat::Request& request, std::string_view model) {
  return chat::with_model(request, model);
}

}  // namespace sluice::anthropic
