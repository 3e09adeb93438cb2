#include "wire/responses_decode.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

#include "wire/key_set.h"
#include "wire/openai.h"
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
  Integer,  // between min and max
  Number,   // between min and max
  String,
  Array,
  Object,
};

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();

}  // namespace

// A request field the gateway knows; everything else is carried unread.
struct Field {
  std::string_view name;
  Rule rule = Rule::Boolean;
  int64_t min = 0;
  int64_t max = 0;
};

namespace {

// Bounds are those every OpenAI model shares; narrower ones are the upstream's to check.
constexpr std::array<Field, 28> kFields{{
    {"model", Rule::Model},
    {"input", Rule::Input},
    {"instructions", Rule::Instructions},
    {"stream", Rule::Stream},
    {"background", Rule::Background},
    {"store", Rule::Store},
    {"max_output_tokens", Rule::MaxOutputTokens, 1, kAny},
    {"safety_identifier", Rule::SafetyIdentifier},
    {"user", Rule::User},
    {"previous_response_id", Rule::PreviousResponse},
    {"conversation", Rule::Conversation},
    {"prompt", Rule::Prompt},
    {"tools", Rule::Tools},
    {"tool_choice", Rule::ToolChoice},
    {"temperature", Rule::Number, 0, 2},
    {"top_p", Rule::Number, 0, 1},
    {"top_logprobs", Rule::Integer, 0, kAny},
    {"max_tool_calls", Rule::Integer, 0, kAny},
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
}};

const Field* find_field(std::string_view name) {
  for (const Field& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// What was found, for a message: numbers with their value, anything else by its type alone, for it
// may be private.
std::string found(json::Reader reader) {
  const Type type = reader.peek();
  std::string_view digits;
  if (type == Type::Number && reader.number(&digits)) {
    return fmt::format("the number {}", digits.substr(0, 40));
  }
  return std::string(json::name_of(type));
}

std::string bounds(const Field& field, std::string_view kind) {
  if (field.max == kAny) return fmt::format("{} of at least {}", kind, field.min);
  return fmt::format("{} between {} and {}", kind, field.min, field.max);
}

}  // namespace

RequestDecoder::RequestDecoder(std::string_view body) : body_(body), reader_(body) {
  request_.endpoint = chat::Endpoint::Responses;
  request_.body = body;
  request_.asked_usage = true;  // a response always carries it
  request_.store = true;        // unlike chat, where it is off
}

bool RequestDecoder::fail(std::string message, std::string param) {
  if (!error_) error_.emplace(Outcome::BadRequest, std::move(message), std::move(param));
  return false;
}

bool RequestDecoder::wrong(const char* start, std::string_view expected) {
  const size_t offset = offset_of(start);
  // Where no value begins, the fault is the reader's to name.
  if (json::Reader(body_, offset, 0).peek() == Type::None) return reader_.skip();
  if (reader_.failed()) return false;
  const std::string path = json::path_at(body_, offset);
  return fail(fmt::format("`{}` must be {}, found {} at {}", path, expected,
                          found(json::Reader(body_, offset, 0)), json::position_at(body_, offset)),
              path);
}

bool RequestDecoder::missing(std::string_view name, std::string_view expected) {
  return fail(fmt::format("`{}` is missing: {} is required", name, expected), std::string(name));
}

chat::Span RequestDecoder::span_since(const char* start) const {
  return {static_cast<uint32_t>(offset_of(start)), static_cast<uint32_t>(reader_.at())};
}

Result<chat::Request> RequestDecoder::run() {
  if (body_.size() > std::numeric_limits<uint32_t>::max()) {
    return Error(Outcome::TooLarge, "the body is larger than 4 GiB");
  }
  if (!json::is_utf8(body_)) return json::utf8_error(Outcome::BadRequest, body_);
  if (!top_level() || !complete()) {
    if (error_) return std::move(*error_);
    return json::error_of(Outcome::BadRequest, body_, reader_);
  }
  if (!references_.empty()) {
    request_.references = std::make_shared<const chat::References>(std::move(references_));
  }
  return std::move(request_);
}

bool RequestDecoder::top_level() {
  const Type type = reader_.peek();
  if (type != Type::Object && type != Type::None) {
    return fail(fmt::format("the body must be a JSON object, found {}", found(reader_)), "");
  }
  if (!reader_.open_object()) return false;
  request_.object_open = static_cast<uint32_t>(reader_.at());
  json::KeySet keys;
  Text key;
  while (reader_.next_member(&key)) {
    const json::KeySet::Added added = keys.add(key);
    if (added == json::KeySet::Added::Twice) {
      const size_t offset = offset_of(key.raw.data()) - 1;
      return fail(fmt::format("`{}` stands twice in the body, the second time at {}", key.str(),
                              json::position_at(body_, offset)),
                  key.str());
    }
    if (added == json::KeySet::Added::TooMany) {
      return fail(fmt::format("the body has more than {} fields", json::KeySet::kMaxKeys), "");
    }
    if (!member(key)) return false;
  }
  return reader_.finish();
}

bool RequestDecoder::member(const Text& key) {
  const Field* field = key.escaped ? find_field(key.str()) : find_field(key.raw);
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
      return boolean_or_null(&request_.stream);
    case Rule::Background:
      return boolean_or_null(&request_.background);
    case Rule::Store:
      return boolean_or_null(&request_.store);
    case Rule::MaxOutputTokens:
      return integer(field, &request_.max_output_tokens);
    case Rule::SafetyIdentifier:
      safety_identifier_ = reader_.peek() == Type::String;
      return name_text(&request_.user);
    case Rule::User:
      return name_text(safety_identifier_ ? &ignored_text : &request_.user);
    case Rule::PreviousResponse:
      return name_text(&references_.previous_response);
    case Rule::Conversation:
      return id_or_object(/*string_allowed=*/true, &references_.conversation);
    case Rule::Prompt:
      return id_or_object(/*string_allowed=*/false, &references_.prompt);
    case Rule::ServiceTier:
      if (!name_text(&ignored_text)) return false;
      request_.tier = chat::service_tier_named(ignored_text);
      return true;
    case Rule::Tools:
      return tools();
    case Rule::ToolChoice:
      return tool_choice();
    case Rule::Boolean:
      return boolean_or_null(&ignored);
    case Rule::Integer:
      return integer(field, &ignored_integer);
    case Rule::Number:
      return real(field);
    case Rule::String:
      return of_type(Type::String, "a string or null");
    case Rule::Array:
      return of_type(Type::Array, "an array or null");
    case Rule::Object:
      return of_type(Type::Object, "an object or null");
  }
  return false;
}

bool RequestDecoder::model() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  Text text;
  if (type != Type::String) return wrong(start, "the name of a model, a string");
  if (!reader_.string(&text)) return false;
  request_.model_value = span_since(start);
  request_.model = text.str();
  has_model_ = true;
  if (text.empty()) return wrong(start, "a string that is not empty");
  if (request_.model.size() > openai::kMaxModelName) {
    return wrong(start, fmt::format("a string of at most {} bytes", openai::kMaxModelName));
  }
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(request_.model.begin(), request_.model.end(), is_control)) {
    return wrong(start, "a string without control characters");
  }
  return true;
}

bool RequestDecoder::name_text(std::string* out) {
  const Type type = reader_.peek();
  Text text;
  if (type == Type::Null) return reader_.null();
  if (type != Type::String) return wrong(reader_.pointer(), "a string or null");
  if (!reader_.string(&text)) return false;
  *out = text.str();
  return true;
}

bool RequestDecoder::integer(const Field& field, std::optional<int64_t>* out) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  std::string_view digits;
  if (type == Type::Number) {
    if (!reader_.number(&digits)) return false;
    const std::optional<int64_t> value = json::to_integer(digits);
    if (value && *value >= field.min && *value <= field.max) {
      *out = value;
      return true;
    }
  }
  return wrong(start, bounds(field, "an integer"));
}

bool RequestDecoder::real(const Field& field) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  std::string_view digits;
  if (type == Type::Number) {
    if (!reader_.number(&digits)) return false;
    const double value = json::to_double(digits);
    if (value >= static_cast<double>(field.min) && value <= static_cast<double>(field.max)) {
      return true;
    }
  }
  return wrong(start, bounds(field, "a number"));
}

bool RequestDecoder::boolean_or_null(bool* out) {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Bool) return wrong(reader_.pointer(), "a boolean or null");
  return reader_.boolean(out);
}

bool RequestDecoder::of_type(Type type, std::string_view expected) {
  const Type next = reader_.peek();
  if (next != type && next != Type::Null) return wrong(reader_.pointer(), expected);
  return reader_.skip();
}

// "conv_1", {"id":"conv_1"} or null.
bool RequestDecoder::id_or_object(bool string_allowed, std::string* id) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  if (type == Type::String && string_allowed) return name_text(id);
  if (type != Type::Object) {
    return wrong(start, string_allowed ? "an id, a string, or an object with an `id`"
                                       : "an object with an `id`");
  }
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    if (!(key.is("id") ? name_text(id) : reader_.skip())) return false;
  }
  if (reader_.failed()) return false;
  return !id->empty() || wrong(start, "an object with an `id` that is not empty");
}

bool RequestDecoder::tools() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Array) return wrong(start, "an array of objects");
  reader_.open_array();
  while (reader_.next_element()) {
    if (reader_.peek() != Type::Object) return wrong(reader_.pointer(), "an object");
    if (!reader_.skip()) return false;
  }
  request_.prompt_bytes += static_cast<int64_t>(reader_.since(start).size());
  return !reader_.failed();
}

bool RequestDecoder::tool_choice() {
  const Type type = reader_.peek();
  if (type != Type::String && type != Type::Object && type != Type::Null) {
    return wrong(reader_.pointer(), "a string, an object or null");
  }
  return reader_.skip();
}

bool RequestDecoder::complete() {
  if (!has_model_) return missing("model", "the name of a model, a string,");
  const bool kept_elsewhere = !references_.previous_response.empty() ||
                              !references_.conversation.empty() || !references_.prompt.empty();
  if (has_input_ || kept_elsewhere) return true;
  if (chat_shaped_) {
    return fail(
        "`input` is missing, but there are `messages`: this body has the shape of "
        "/v1/chat/completions; send it there, or send `input` here",
        "input");
  }
  return missing("input", "a string or an array of items");
}

Result<chat::Request> decode_request(std::string_view body) {
  return RequestDecoder(body).run();
}

}  // namespace sluice::responses
