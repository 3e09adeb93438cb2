// What a request asks the model to read: messages, prompt, input.
#include <fmt/format.h>

#include "wire/openai.h"
#include "wire/openai_decode.h"
#include "wire/openai_usage.h"

namespace sluice::openai {

using json::Text;
using json::Type;

namespace {

constexpr int64_t kBytesPerToken = 4;

}  // namespace

bool RequestDecoder::messages() {
  return filled_array("an array of messages that is not empty", [this] { return message(); });
}

bool RequestDecoder::message() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type != Type::Object) return wrong(start, "an object with `role` and `content`");
  reader_.open_object();
  bool role = false;
  bool has_content = false;
  Text key;
  while (reader_.next_member(&key)) {
    const bool is_role = key.is("role");
    const bool is_content = key.is("content");
    if ((is_role && role) || (is_content && has_content)) {
      return twice(path_of(key.raw.data() + key.raw.size() + 2));
    }
    if (is_role) {
      role = true;
      if (reader_.peek() != Type::String) return wrong(reader_.pointer(), "a string");
      reader_.skip();
    } else if (is_content) {
      has_content = true;
      if (!content()) return false;
    } else if (key.raw == "tool_calls") {
      Content calls;
      read_tool_calls(reader_, &calls);
      request_.prompt_bytes += calls.bytes;
    } else {
      reader_.skip();
    }
  }
  if (reader_.failed()) return false;
  return role || missing_in(start, "role", "a string");
}

bool RequestDecoder::content() {
  const Type type = reader_.peek();
  if (type == Type::String) return text_size();
  if (type == Type::Null) return reader_.null();
  if (type != Type::Array) {
    return wrong(reader_.pointer(), "a string, an array of parts or null");
  }
  return elements([this] { return part(); });
}

// Of a part only its text counts: an image is no prompt text, however long its base64.
bool RequestDecoder::part() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type != Type::Object) return wrong(start, "an object with a `type`");
  reader_.open_object();
  bool has_type = false;
  Text key;
  while (reader_.next_member(&key)) {
    const bool text = key.raw == "text" || key.raw == "refusal";
    if (key.is("type")) {
      has_type = true;
      if (reader_.peek() != Type::String) return wrong(reader_.pointer(), "a string");
      reader_.skip();
    } else if (text && reader_.peek() == Type::String) {
      text_size();
    } else {
      request_.only_text &= key.raw == "cache_control";
      reader_.skip();
    }
  }
  if (reader_.failed()) return false;
  return has_type || missing_in(start, "type", "a string");
}

bool RequestDecoder::prompt(bool null_allowed) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type == Type::String) return text_size();
  if (type == Type::Null && null_allowed) return reader_.null();
  if (type != Type::Array) return wrong(start, "a string, or an array of strings or tokens");
  Type kind = Type::None;
  size_t entries = 0;
  const auto entry = [&] {
    ++entries;
    return prompt_element(&kind, /*nested=*/false);
  };
  if (!elements(entry)) return false;
  if (entries == 0) return wrong(start, "an array that is not empty");
  if (kind != Type::Number && entries > kMaxInputs) {
    return wrong(start, fmt::format("an array of at most {} entries", kMaxInputs));
  }
  return true;
}

// An entry of a prompt array: all strings, all tokens or all arrays of tokens. `kind` is the type
// of those before it.
bool RequestDecoder::prompt_element(Type* kind, bool nested) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  const bool allowed =
      type == Type::Number || (!nested && (type == Type::String || type == Type::Array));
  if (!allowed) return wrong(start, nested ? "a token, an integer" : "a string or tokens");
  if (*kind != Type::None && *kind != type) {
    return wrong(start, fmt::format("{} like the entries before it", json::name_of(*kind)));
  }
  *kind = type;
  if (type == Type::String) return text_size();
  if (type == Type::Number) {
    std::string_view digits;
    if (!reader_.number(&digits)) return false;
    if (json::to_integer(digits).value_or(-1) < 0) return wrong(start, "a token, an integer");
    request_.prompt_bytes += kBytesPerToken;
    return true;
  }
  Type inner = Type::None;
  if (!elements([&] { return prompt_element(&inner, /*nested=*/true); })) return false;
  return inner != Type::None || wrong(start, "an array of tokens that is not empty");
}

}  // namespace sluice::openai
