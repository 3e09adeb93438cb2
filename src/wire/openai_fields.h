// Which request fields the gateway knows, on which endpoints, and what their values may be. One
// table: everything not in it is carried unread.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/body_decoder.h"
#include "wire/chat.h"

namespace sluice::openai {

enum class Rule : uint8_t {
  Model,
  Messages,
  Prompt,
  Input,
  Stream,
  StreamOptions,
  Choices,
  MaxTokens,
  MaxCompletionTokens,
  ReasoningEffort,
  SafetyIdentifier,
  User,
  ServiceTier,
  Tools,
  // Checked and then left alone:
  Boolean,
  Integer,  // within the bounds
  Number,   // within the bounds
  String,
  Array,
  Object,
  Stop,
};

struct Field {
  std::string_view name;
  uint8_t endpoints = 0;  // bit per chat::Endpoint
  Rule rule = Rule::Boolean;
  chat::Bounds bounds = {};
};

// Null if the gateway does not know `name` on this endpoint.
const Field* find_field(chat::Endpoint endpoint, std::string_view name);

}  // namespace sluice::openai
