#include "wire/responses_decode.h"

#include <array>
#include <memory>

#include "wire/name_table.h"
#include "wire/responses.h"

namespace sluice::responses {

using json::Text;
using json::Type;

namespace {

enum class Rule : uint8_t {
  Model,
  Input,
  Instructions,
  Stream,
  Background,
  Store,
  MaxOutputTokens,
  SafetyIdentifier,
  User,
  PreviousResponse,
  Conversation,
  Prompt,
  Tools,
  ToolChoice,
  ServiceTier,
  // Checked and then left alone:
  Boolean,
  Integer,  // within the bounds
  Number,   // within the bounds
  String,
  Array,
  Object,
};

constexpr int64_t kAny = chat::Bounds::kAny;

}  // namespace

// A request field the gateway knows; everything else is carried unread.
struct Field {
  std::string_view name;
  Rule rule = Rule::Boolean;
  chat::Bounds bounds = {};
};

namespace {

// Bounds are those every OpenAI model shares; narrower ones are the upstream's to check.
constexpr chat::NameTable kFields(std::to_array<Field>({
    {"model", Rule::Model},
    {"input", Rule::Input},
    {"instructions", Rule::Instructions},
    {"stream", Rule::Stream},
    {"background", Rule::Background},
    {"store", Rule::Store},
    {"max_output_tokens", Rule::MaxOutputTokens, {1, kAny}},
    {"safety_identifier", Rule::SafetyIdentifier},
    {"user", Rule::User},
    {"previous_response_id", Rule::PreviousResponse},
    {"conversation", Rule::Conversation},
    {"prompt", Rule::Prompt},
    {"tools", Rule::Tools},
    {"tool_choice", Rule::ToolChoice},
    {"temperature", Rule::Number, {0, 2}},
    {"top_p", Rule::Number, {0, 1}},
    {"top_logprobs", Rule::Integer, {0, kAny}},
    {"max_tool_calls", Rule::Integer, {0, kAny}},
    {"parallel_tool_calls", Rule::Boolean},
    {"metadata", Rule::Object},
    {"reasoning", Rule::Object},
    {"text", Rule::Object},
    {"stream_options", Rule::Object},
    {"include", Rule::Array},
    {"context_management", Rule::Array},
    {"truncation", Rule::String},
    {"service_tier", Rule::ServiceTier},
    {"prompt_cache_key", Rule::String},
}));

}  // namespace

RequestDecoder::RequestDecoder(std::string_view body)
    : BodyDecoder(chat::Endpoint::Responses, body) {
  request_.asked_usage = true;  // a response always carries it
  request_.store = true;        // unlike chat, where it is off
}

bool RequestDecoder::member(const Text& key) {
  const Field* field = key.escaped ? kFields.find(key.str()) : kFields.find(key.raw);
  request_.has_metadata |= key.raw == "metadata";
  if (field != nullptr) return value_of(*field);
  if (key.raw == "messages") chat_shaped_ = true;
  return reader_.skip();
}

bool RequestDecoder::value_of(const Field& field) {
  std::optional<int64_t> ignored_integer;
  std::string ignored_text;
  bool ignored = false;
  switch (field.rule) {
    case Rule::Model:
      return model();
    case Rule::Input:
      return input();
    case Rule::Instructions:
      return text_or_parts();
    case Rule::Stream:
      return boolean(&request_.stream);
    case Rule::Background:
      return boolean(&request_.background);
    case Rule::Store:
      return boolean(&request_.store);
    case Rule::MaxOutputTokens:
      return integer(field.bounds, &request_.max_output_tokens);
    case Rule::SafetyIdentifier:
      safety_identifier_ = reader_.peek() == Type::String;
      return text(&request_.user);
    case Rule::User:
      return text(safety_identifier_ ? &ignored_text : &request_.user);
    case Rule::PreviousResponse:
      return text(&references_.previous_response);
    case Rule::Conversation:
      return id_or_object(/*string_allowed=*/true, &references_.conversation);
    case Rule::Prompt:
      return id_or_object(/*string_allowed=*/false, &references_.prompt);
    case Rule::ServiceTier:
      return service_tier();
    case Rule::Tools:
      return tools();
    case Rule::ToolChoice:
      return tool_choice();
    case Rule::Boolean:
      return boolean(&ignored);
    case Rule::Integer:
      return integer(field.bounds, &ignored_integer);
    case Rule::Number:
      return real(field.bounds);
    case Rule::String:
      return of_type(Type::String, "a string or null");
    case Rule::Array:
      return of_type(Type::Array, "an array or null");
    case Rule::Object:
      return of_type(Type::Object, "an object or null");
  }
  return false;
}

// "conv_1", {"id":"conv_1"} or null.
bool RequestDecoder::id_or_object(bool string_allowed, std::string* id) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  if (type == Type::String && string_allowed) return text(id);
  if (type != Type::Object) {
    return wrong(start, string_allowed ? "an id, a string, or an object with an `id`"
                                       : "an object with an `id`");
  }
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    if (!(key.is("id") ? text(id) : reader_.skip())) return false;
  }
  if (reader_.failed()) return false;
  return !id->empty() || wrong(start, "an object with an `id` that is not empty");
}

bool RequestDecoder::tool_choice() {
  const Type type = reader_.peek();
  if (type != Type::String && type != Type::Object && type != Type::Null) {
    return wrong(reader_.pointer(), "a string, an object or null");
  }
  return reader_.skip();
}

bool RequestDecoder::complete() {
  const bool kept_elsewhere = !references_.previous_response.empty() ||
                              !references_.conversation.empty() || !references_.prompt.empty();
  if (!has_input_ && !kept_elsewhere) return missing_input();
  if (!references_.empty()) {
    request_.references = std::make_shared<const chat::References>(std::move(references_));
  }
  return true;
}

bool RequestDecoder::missing_input() {
  if (!chat_shaped_) return missing("input", "a string or an array of items");
  return fail(
      "`input` is missing, but there are `messages`: this body has the shape of "
      "/v1/chat/completions; send it there, or send `input` here",
      "input");
}

Result<chat::Request> decode_request(std::string_view body) {
  return RequestDecoder(body).run();
}

}  // namespace sluice::responses
