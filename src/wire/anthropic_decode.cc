#include "wire/anthropic_decode.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

#include "wire/anthropic.h"
#include "wire/key_set.h"

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
  Number,  // between min and max
  ServiceTier,
  Object,
};

struct Field {
  std::string_view name;
  Rule rule = Rule::Object;
  double min = 0;
  double max = 0;
};

namespace {

constexpr double kAny = std::numeric_limits<double>::max();

// Everything not in here is carried unread.
constexpr std::array<Field, 16> kFields{{
    {"model", Rule::Model},
    {"messages", Rule::Messages},
    {"max_tokens", Rule::MaxTokens},
    {"system", Rule::System},
    {"stream", Rule::Stream},
    {"tools", Rule::Tools},
    {"tool_choice", Rule::Object},
    {"metadata", Rule::Metadata},
    {"temperature", Rule::Number, 0, 1},
    {"top_p", Rule::Number, 0, 1},
    {"top_k", Rule::Number, 0, kAny},
    {"stop_sequences", Rule::Strings},
    {"thinking", Rule::Object},
    {"output_config", Rule::Object},
    {"cache_control", Rule::Object},
    {"service_tier", Rule::ServiceTier},
}};

const Field* find_field(const Text& key) {
  const auto found = std::find_if(kFields.begin(), kFields.end(),
                                  [&](const Field& field) { return key.is(field.name); });
  return found == kFields.end() ? nullptr : &*found;
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
  if (!reader_.failed() && !error_) {
    error_ = json::mismatch(Outcome::BadRequest, body_, offset, expected);
  }
  return false;
}

bool RequestDecoder::missing(const std::string& name, std::string_view expected) {
  return fail(fmt::format("`{}` is missing: {} is required", name, expected), name);
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
    return fail(fmt::format("the body must be a JSON object, found {}", json::name_of(type)), "");
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
    const Field* field = find_field(key);
    if (!(field != nullptr ? value_of(*field) : reader_.skip())) return false;
  }
  return reader_.finish();
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
      return max_tokens();
    case Rule::Stream:
      return boolean();
    case Rule::Tools:
      return tools();
    case Rule::Metadata:
      return metadata();
    case Rule::Strings:
      return strings();
    case Rule::Number:
      return number(field);
    case Rule::ServiceTier: {
      const bool word = reader_.peek() == Type::String;
      Text tier;
      if (!word) return of_type(Type::String, "a string");
      if (!reader_.string(&tier)) return false;
      request_.tier = chat::service_tier_named(tier.str());
      return true;
    }
    case Rule::Object:
      return of_type(Type::Object, "an object");
  }
  return false;
}

bool RequestDecoder::model() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  Text text;
  if (type != Type::String) return wrong(start, "the name of a model, a string");
  if (!reader_.string(&text)) return false;
  request_.model_value = {static_cast<uint32_t>(offset_of(start)),
                          static_cast<uint32_t>(reader_.at())};
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

// 0 only warms the prompt cache.
bool RequestDecoder::max_tokens() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  std::string_view digits;
  if (type == Type::Number) {
    if (!reader_.number(&digits)) return false;
    request_.max_output_tokens = json::to_integer(digits);
  }
  return request_.max_output_tokens.value_or(-1) >= 0 || wrong(start, "an integer of at least 0");
}

bool RequestDecoder::boolean() {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Bool) return wrong(reader_.pointer(), "a boolean");
  return reader_.boolean(&request_.stream);
}

bool RequestDecoder::number(const Field& field) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::Null) return reader_.null();
  std::string_view digits;
  if (type == Type::Number) {
    if (!reader_.number(&digits)) return false;
    const double value = json::to_double(digits);
    if (value >= field.min && value <= field.max) return true;
  }
  return wrong(start, field.max == kAny
                          ? fmt::format("a number of at least {}", field.min)
                          : fmt::format("a number between {} and {}", field.min, field.max));
}

bool RequestDecoder::of_type(Type type, std::string_view expected) {
  const Type next = reader_.peek();
  if (next != type && next != Type::Null) return wrong(reader_.pointer(), expected);
  return reader_.skip();
}

bool RequestDecoder::strings() {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Array) return wrong(reader_.pointer(), "an array of strings");
  reader_.open_array();
  while (reader_.next_element()) {
    if (reader_.peek() != Type::String) return wrong(reader_.pointer(), "a string");
    if (!reader_.skip()) return false;
  }
  return !reader_.failed();
}

bool RequestDecoder::metadata() {
  const Type type = reader_.peek();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Object) return wrong(reader_.pointer(), "an object");
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    const Type value = reader_.peek();
    if (!key.is("user_id") || value == Type::Null) {
      if (!reader_.skip()) return false;
      continue;
    }
    Text user;
    if (value != Type::String) return wrong(reader_.pointer(), "a string");
    if (!reader_.string(&user)) return false;
    request_.user = user.str();
  }
  return !reader_.failed();
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
