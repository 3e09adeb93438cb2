// What a request asks the model to read: system, messages and the blocks in them.
#include "wire/anthropic_decode.h"

namespace sluice::anthropic {

using json::Text;
using json::Type;

namespace {

constexpr std::string_view kContentExpected = "a string or an array of blocks";

}  // namespace

bool RequestDecoder::messages() {
  has_messages_ = true;
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
    if (key.is("role") && !role) {
      role = true;
      if (!of_type(Type::String, "a string")) return false;
    } else if (key.is("content") && !has_content) {
      has_content = true;
      if (!content()) return false;
    } else if (key.is("role") || key.is("content")) {
      return twice(path_of(start) + "." + key.str());
    } else if (!reader_.skip()) {
      return false;
    }
  }
  if (reader_.failed()) return false;
  if (!role) return missing_in(start, "role", "a string");
  return has_content || missing_in(start, "content", kContentExpected);
}

bool RequestDecoder::content() {
  const Type type = reader_.peek();
  if (type == Type::String) return text_size();
  if (type != Type::Array) return wrong(reader_.pointer(), kContentExpected);
  return elements([this] { return block(); });
}

bool RequestDecoder::block() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type != Type::Object) return wrong(start, "an object with a `type`");
  reader_.open_object();
  bool has_type = false;
  Text key;
  while (reader_.next_member(&key)) {
    if (!block_member(key, &has_type)) return false;
  }
  if (reader_.failed()) return false;
  return has_type || missing_in(start, "type", "a string");
}

// Only what is text counts: an image is no prompt text, however long its base64.
bool RequestDecoder::block_member(const Text& key, bool* has_type) {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (key.is("type")) {
    *has_type = true;
    return type == Type::String ? reader_.skip() : wrong(start, "a string");
  }
  const bool text =
      key.raw == "text" || key.raw == "thinking" || key.raw == "title" || key.raw == "context";
  if (text && type == Type::String) return text_size();
  if (key.raw == "content" && (type == Type::String || type == Type::Array)) return content();
  if (key.raw == "source" && type == Type::Object) return source();
  const bool holds_text =
      key.raw == "input" || key.raw == "cache_control" || key.raw == "citations";
  if (type == Type::Object || type == Type::Array) request_.only_text &= holds_text;
  if (!reader_.skip()) return false;
  if (key.raw == "input") {
    request_.prompt_bytes += static_cast<int64_t>(reader_.since(start).size());
  }
  return true;
}

// Of an image or a document. `data` is text where the type says so, else base64.
bool RequestDecoder::source() {
  reader_.open_object();
  bool is_text = false;
  int64_t size = 0;
  Text key;
  while (reader_.next_member(&key)) {
    const Type type = reader_.peek();
    Text text;
    if (type == Type::String && (key.raw == "type" || key.raw == "data")) {
      if (!reader_.string(&text)) return false;
      if (key.raw == "type") is_text = text.is("text");
      if (key.raw == "data") size = static_cast<int64_t>(text.length());
    } else if (key.raw == "content" && (type == Type::String || type == Type::Array)) {
      if (!content()) return false;
    } else if (!reader_.skip()) {
      return false;
    }
  }
  if (is_text) {
    request_.prompt_bytes += size;
  } else {
    request_.only_text = false;
  }
  return !reader_.failed();
}

}  // namespace sluice::anthropic
