#include "wire/openai_decode.h"

#include "wire/key_set.h"
#include "wire/openai.h"

namespace sluice::openai {

using json::Text;
using json::Type;

bool RequestDecoder::member(const Text& key) {
  const Field* field = key.escaped ? find_field(request_.endpoint, key.str())
                                   : find_field(request_.endpoint, key.raw);
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
      return boolean(&request_.stream);
    case Rule::StreamOptions:
      return stream_options();
    case Rule::Choices: {
      std::optional<int64_t> choices;
      if (!integer(field.bounds, &choices)) return false;
      request_.choices = choices.value_or(1);
      return true;
    }
    case Rule::MaxTokens:
      return integer(field.bounds, &max_tokens_);
    case Rule::MaxCompletionTokens:
      return integer(field.bounds, &max_completion_tokens_);
    case Rule::ReasoningEffort: {
      std::string effort;
      if (!text(&effort)) return false;
      request_.reasons = !effort.empty() && effort != "none";
      return true;
    }
    case Rule::SafetyIdentifier:
      safety_identifier_ = reader_.peek() == Type::String;
      return text(&request_.user);
    case Rule::User: {
      std::string ignored;
      return text(safety_identifier_ ? &ignored : &request_.user);
    }
    case Rule::ServiceTier:
      return service_tier();
    case Rule::Tools:
      return tools();
    case Rule::Boolean: {
      bool ignored = false;
      return boolean(&ignored);
    }
    case Rule::Integer: {
      std::optional<int64_t> ignored;
      return integer(field.bounds, &ignored);
    }
    case Rule::Number:
      return real(field.bounds);
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
      return twice("stream_options." + key.str());
    }
    if (!(key.is("include_usage") ? include_usage() : reader_.skip())) return false;
  }
  request_.stream_options_value = span_since(start);
  return !reader_.failed();
}

bool RequestDecoder::include_usage() {
  reader_.peek();
  const char* start = reader_.pointer();
  if (!boolean(&request_.asked_usage)) return false;
  request_.include_usage_value = span_since(start);
  return true;
}

bool RequestDecoder::stop() {
  const Type type = reader_.peek();
  if (type != Type::String && type != Type::Array && type != Type::Null) {
    return wrong(reader_.pointer(), "a string, an array of strings or null");
  }
  return reader_.skip();
}

bool RequestDecoder::complete() {
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
