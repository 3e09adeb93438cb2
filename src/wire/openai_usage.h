// `usage`, `error` and the size of content: the parts that buffered replies and stream chunks
// share.
#pragma once

#include <optional>

#include "wire/chat.h"
#include "wire/json.h"
#include "wire/reply_values.h"

namespace sluice::openai {

// Reads a `usage` value. Empty for null, for numbers that are negative, absurd or no integers, for
// a usage without prompt_tokens and for the placeholder 0 and 0. Details larger than their total
// are cut so that the buckets sum to the totals. False only if the text is broken.
bool read_usage(json::Reader& reader, std::optional<chat::Usage>* usage);

// Reads a `service_tier` value; other types than strings say nothing. False only if the text is
// broken.
bool read_tier(json::Reader& reader, chat::ServiceTier* tier);

// Reads an `error` value of any shape: object, string, number. False in *present for null,
// false and "". Returns false only if the text is broken.
bool read_error(json::Reader& reader, chat::ErrorFacts* facts, bool* present);

// What a message or a delta carries.
struct Content {
  bool any = false;   // something the caller sees: text, refusal, reasoning, a tool call, audio
  int64_t bytes = 0;  // of text, reasoning and tool arguments, unescaped
};

// A string that is content: adds its length. Any other value is skipped.
bool read_text(json::Reader& reader, Content* content);
// `content` as a string or as an array of parts.
bool read_parts(json::Reader& reader, Content* content);
// An array or object whose presence is content: non-empty.
bool read_presence(json::Reader& reader, Content* content);
// `tool_calls` of a message.
bool read_tool_calls(json::Reader& reader, Content* content);
// {"name","arguments"} or {"name","input"}.
bool read_function(json::Reader& reader, Content* content);

}  // namespace sluice::openai
