// Which request fields the gateway knows, on which endpoints, and what their values may be. One
// table: everything not in it is carried unread.
#pragma once

#include <cstdint>
#include <string_view>

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
  Integer,  // between min and max
  Number,   // between min and max
  String,
  Array,
  Object,
  Stop,
};

struct Field {
  std::string_view name;
  uint8_t endpoints = 0;  // bit per chat::Endpoint
  Rule rule = Rule::Boolean;
  int64_t min = 0;
  int64_t max = 0;
};

inline constexpr size_t kFieldCount = 35;

// Null if the gateway does not know `name` on this endpoint. Fields are numbered from 0: *index.
const Field* find_field(chat::Endpoint endpoint, std::string_view name, uint32_t* index);

}  // namespace sluice::openai
