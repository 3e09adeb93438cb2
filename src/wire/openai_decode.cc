#include "wire/openai_decode.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "wire/key_set.h"
#include "wire/openai.h"

namespace sluice::openai {

using json::Text;
using json::Type;

namespace {

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
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  if (field.min == -kAny) return std::string(kind);
  if (field.max == kAny) return fmt::format("{} of at least {}", kind, field.min);
  return fmt::format("{} between {} and {}", kind, field.min, field.max);
}

}  // namespace

RequestDecoder::RequestDecoder(chat::Endpoint endpoint, std::string_view body)
    : body_(body), reader_(body) {
  request_.endpoint = endpoint;
  request_.body = body;
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
  uint32_t index = 0;
  const Field* field = key.escaped ? find_field(request_.endpoint, key.str(), &index)
                                   : find_field(request_.endpoint, key.raw, &index);
  request_.has_metadata |= key.raw == "metadata";
  if (field != nullptr) return value_of(*field);
  if (key.raw == "input") responses_shaped_ = true;
  return reader_.skip();
}

bool RequestDecoder::value_of(const Field& field) {
  switch (field.rule) {
    case Rule::Model:
      return model();
    case Rule::Messages:
      has_prompt_ = true;
      return messages();
    case Rule::Prompt:
    case Rule::Input:
      has_prompt_ = true;
      return prompt(field.rule == Rule::Prompt);
    case Rule::Stream:
      return boolean_or_null(&request_.stream);
    case Rule::StreamOptions:
      return stream_options();
    case Rule::Choices: {
      std::optional<int64_t> choices;
      if (!integer(field, &choices)) return false;
      request_.choices = choices.value_or(1);
      return true;
    }
    case Rule::MaxTokens:
      return integer(field, &max_tokens_);
    case Rule::MaxCompletionTokens:
      return integer(field, &max_completion_tokens_);
    case Rule::ReasoningEffort: {
      std::string effort;
      if (!name_text(&effort)) return false;
      request_.reasons = !effort.empty() && effort != "none";
      return true;
    }
    case Rule::SafetyIdentifier:
      safety_identifier_ = reader_.peek() == Type::String;
      return name_text(&request_.user);
    case Rule::User: {
      std::string ignored;
      return name_text(safety_identifier_ ? &ignored : &request_.user);
    }
    case Rule::ServiceTier: {
      std::string tier;
      if (!name_text(&tier)) return false;
      request_.tier = chat::service_tier_named(tier);
      return true;
    }
    case Rule::Tools:
      return tools();
    case Rule::Boolean: {
      bool ignored = false;
      return boolean_or_null(&ignored);
    }
    case Rule::Integer: {
      std::optional<int64_t> ignored;
      return integer(field, &ignored);
    }
    case Rule::Number:
      return real(field);
    case Rule::String:
      return of_type(Type::String, "a string or null");
    case Rule::Array:
      return of_type(Type::Array, "an array or null");
    case Rule::Object:
      return of_type(Type::Object, "an object or null");
    case Rule::Stop:
      return stop();
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
  if (request_.model.size() > kMaxModelName) {
    return wrong(start, fmt::format("a string of at most {} bytes", kMaxModelName));
  }
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(request_.model.begin(), request_.model.end(), is_control)) {
    return wrong(start, "a string without control characters");
  }
  return true;
}

bool RequestDecoder::stream_options() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) {
    if (!reader_.null()) return false;
    request_.stream_options_value = span_since(start);
    return true;
  }
  if (type != Type::Object) return wrong(start, "an object or null");
  stream_options_set_ = true;
  reader_.open_object();
  json::KeySet keys;
  Text key;
  while (reader_.next_member(&key)) {
    if (keys.add(key) != json::KeySet::Added::Yes) {
      const std::string name = "stream_options." + key.str();
      return fail(fmt::format("`{}` stands there twice", name), name);
    }
    if (!(key.is("include_usage") ? include_usage() : reader_.skip())) return false;
  }
  request_.stream_options_value = span_since(start);
  return !reader_.failed();
}

bool RequestDecoder::include_usage() {
  reader_.peek();
  const char* start = reader_.pointer();
  if (!boolean_or_null(&request_.asked_usage)) return false;
  request_.include_usage_value = span_since(start);
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

bool RequestDecoder::stop() {
  const Type type = reader_.peek();
  if (type != Type::String && type != Type::Array && type != Type::Null) {
    return wrong(reader_.pointer(), "a string, an array of strings or null");
  }
  return reader_.skip();
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

bool RequestDecoder::complete() {
  if (!has_model_) return missing("model", "the name of a model, a string,");
  if (!has_prompt_) {
    if (responses_shaped_ && request_.endpoint == chat::Endpoint::Chat) {
      return fail(
          "`messages` is missing, but there is an `input`: this body has the shape of "
          "/v1/responses; send it there, or send `messages` here",
          "messages");
    }
    switch (request_.endpoint) {
      case chat::Endpoint::Chat:
        return missing("messages", "an array of messages that is not empty");
      case chat::Endpoint::Completions:
        return missing("prompt", "a string or an array");
      default:
        return missing("input", "a string or an array");
    }
  }
  if (stream_options_set_ && !request_.stream) {
    return fail("`stream_options` is only allowed when `stream` is true", "stream_options");
  }
  request_.max_output_tokens = max_completion_tokens_ ? max_completion_tokens_ : max_tokens_;
  using Limit = chat::OutputLimit;
  if (max_tokens_) request_.output_limit = max_completion_tokens_ ? Limit::Both : Limit::MaxTokens;
  if (max_completion_tokens_ && !max_tokens_) request_.output_limit = Limit::MaxCompletionTokens;
  return true;
}

Result<chat::Request> decode_request(chat::Endpoint endpoint, std::string_view body) {
  return RequestDecoder(endpoint, body).run();
}

}  // namespace sluice::openai
