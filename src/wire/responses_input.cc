// What a request asks the model to read: `input` and its items. What an item may hold is the
// upstream's to check; the gateway sizes the text and finds what refers to earlier answers.
#include <array>

#include "wire/responses_decode.h"
#include "wire/responses_facts.h"
#include "wire/responses_items.h"

namespace sluice::responses {

using json::Text;
using json::Type;

// What an item says of itself.
struct ItemHead {
  Text type;
  Text id;
  Text encrypted;
  bool role = false;
  uint32_t seen = 0;  // bit per kItemKeys
};

namespace {

constexpr std::array<std::string_view, 9> kItemKeys{
    "type",  "id",      "role",   "encrypted_content", "content",
    "input", "summary", "output", "arguments"};

bool is_sealed(const Text& encrypted) {
  return encrypted.raw.starts_with(kSignatureMark) || encrypted.raw.starts_with(kRedactedMark);
}

}  // namespace

bool RequestDecoder::input() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  has_input_ = type != Type::Null;
  if (type == Type::Null) return reader_.null();
  if (type == Type::String) return text_size();
  if (type != Type::Array) return wrong(start, "a string or an array of items");
  return elements([this] { return item(); });
}

bool RequestDecoder::item() {
  const Type type = reader_.peek();
  const char* start = reader_.pointer();
  if (type != Type::Object) return wrong(start, "an object");
  reader_.open_object();
  ItemHead head;
  Text key;
  while (reader_.next_member(&key)) {
    if (!item_member(key, &head)) return false;
  }
  if (reader_.failed()) return false;
  // `type` may be left out of messages, which have a role, and of references, which have an id.
  const bool bare_reference = head.type.empty() && !head.role && !head.id.empty();
  if (head.type.is("item_reference") || bare_reference) {
    if (head.id.empty()) return missing_in(start, "id", "a string");
    references_.items.push_back(head.id.str());
  } else if (head.type.is("reasoning")) {
    if (is_sealed(head.encrypted)) {
      references_.own_reasoning.push_back(span_since(start));
      return true;
    }
    if (!head.id.empty()) references_.reasoning.push_back(head.id.str());
    references_.encrypted |= !head.encrypted.empty();
    if (!head.encrypted.empty()) references_.reasoning.push_back(seal_id(head.encrypted));
  } else if (head.type.empty() && !head.role) {
    return missing_in(start, "type", "a string");
  }
  return true;
}

bool RequestDecoder::item_member(const Text& key, ItemHead* head) {
  const std::string unescaped = key.escaped ? key.str() : std::string();
  const std::string_view name = key.escaped ? std::string_view(unescaped) : key.raw;
  size_t index = 0;
  while (index < kItemKeys.size() && kItemKeys[index] != name) ++index;
  if (index == kItemKeys.size()) return reader_.skip();
  const Type type = reader_.peek();
  if ((head->seen >> index & 1) != 0) {
    return twice(path_of(reader_.pointer()));
  }
  head->seen |= 1u << index;
  if (name == "type" || name == "id" || name == "role") {
    if (type == Type::Null) return reader_.null();
    if (type != Type::String) return wrong(reader_.pointer(), "a string");
    if (name == "role") head->role = true;
    Text ignored;
    return reader_.string(name == "type" ? &head->type : name == "id" ? &head->id : &ignored);
  }
  if (name == "encrypted_content") {
    return type == Type::String ? reader_.string(&head->encrypted) : reader_.skip();
  }
  // Hosted tools keep objects under these names: no prompt text.
  if (type == Type::Object) request_.only_text = false;
  if (type == Type::Object || type == Type::Bool || type == Type::Number) return reader_.skip();
  return text_or_parts();
}

bool RequestDecoder::text_or_parts() {
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
  if (reader_.peek() != Type::Object) return reader_.skip();
  reader_.open_object();
  Text key;
  while (reader_.next_member(&key)) {
    const bool text = key.raw == "text" || key.raw == "refusal";
    if (text && reader_.peek() == Type::String) {
      text_size();
    } else {
      request_.only_text &= key.raw == "type" || key.raw == "annotations" ||
                            key.raw == "logprobs" || key.raw == "cache_control";
      reader_.skip();
    }
  }
  return !reader_.failed();
}

}  // namespace sluice::responses
