// What one event of a stream says. Not for other rooms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "wire/anthropic_usage.h"
#include "wire/json.h"
#include "wire/sse.h"

namespace sluice::anthropic {

// An event that says nothing, as the provider sends it.
inline constexpr std::string_view kPing = "event: ping\ndata: {\"type\": \"ping\"}\n\n";

enum class EventType : uint8_t {
  MessageStart,
  BlockStart,
  BlockDelta,
  BlockStop,
  MessageDelta,
  MessageStop,
  Ping,
  Error,
  Other,  // of a later version of the format
};

enum class DeltaType : uint8_t { None, Text, InputJson, Thinking, Signature, Citations, Other };

enum class BlockType : uint8_t { None, Text, ToolUse, Thinking, Redacted, Other };

// Views point into the payload; a view of a JSON value is empty where the event has none.
struct StreamFacts {
  EventType type = EventType::Other;
  json::Text type_name;  // as the payload has it; else the event's own name
  int64_t index = -1;
  // content_block_delta
  DeltaType delta = DeltaType::None;
  json::Text text;  // text, partial_json, thinking or signature; of a block its text or thinking
  // content_block_start
  BlockType block = BlockType::None;
  json::Text block_id;
  json::Text block_name;
  json::Text data;         // redacted_thinking
  std::string_view input;  // the JSON value
  // message_start
  json::Text message_id;
  json::Text model;
  // message_delta
  json::Text stop_reason;
  json::Text stop_sequence;
  // message_start, message_delta
  UsageCounts usage;
  std::unique_ptr<chat::ErrorFacts> error;

  bool has_usage() const { return usage.input >= 0 || usage.output >= 0; }
};

// False if the payload is not a JSON object; `*why` then says what is wrong with it. An event
// whose payload names no type is of the type its `event:` line names.
bool read_event(const sse::Event& event, StreamFacts* facts, std::optional<Error>* why);

// The same for a content_block_delta as the provider writes it, and for nothing else: its text,
// thinking or partial_json, and false for anything that is not of this very shape.
bool read_plain_delta(std::string_view payload, StreamFacts* facts);

}  // namespace sluice::anthropic
