#include "wire/anthropic_event.h"

#include <array>
#include <charconv>
#include <utility>

namespace sluice::anthropic {
namespace {

using json::Reader;
using json::Text;
using json::Type;

template <class Kind, size_t N>
using Names = std::array<std::pair<std::string_view, Kind>, N>;

constexpr Names<EventType, 8> kEvents{{
    {"content_block_delta", EventType::BlockDelta},
    {"content_block_start", EventType::BlockStart},
    {"content_block_stop", EventType::BlockStop},
    {"message_start", EventType::MessageStart},
    {"message_delta", EventType::MessageDelta},
    {"message_stop", EventType::MessageStop},
    {"ping", EventType::Ping},
    {"error", EventType::Error},
}};

constexpr Names<DeltaType, 5> kDeltas{{
    {"text_delta", DeltaType::Text},
    {"input_json_delta", DeltaType::InputJson},
    {"thinking_delta", DeltaType::Thinking},
    {"signature_delta", DeltaType::Signature},
    {"citations_delta", DeltaType::Citations},
}};

constexpr Names<BlockType, 4> kBlocks{{
    {"text", BlockType::Text},
    {"tool_use", BlockType::ToolUse},
    {"thinking", BlockType::Thinking},
    {"redacted_thinking", BlockType::Redacted},
}};

template <class Kind, size_t N>
Kind kind_of(const Text& name, const Names<Kind, N>& names) {
  for (const auto& [known, kind] : names) {
    if (name.is(known)) return kind;
  }
  return Kind::Other;
}

bool read_string(Reader& reader, Text* text) {
  return reader.peek() == Type::String ? reader.string(text) : reader.skip();
}

class EventWalk {
 public:
  EventWalk(std::string_view payload, StreamFacts* facts) : reader_(payload), facts_(facts) {}

  bool run() {
    if (!reader_.open_object()) return false;
    Text key;
    while (reader_.next_member(&key)) member(key.raw);
    return reader_.finish();
  }

  const Reader& reader() const { return reader_; }

 private:
  // What a member is wrong about shows in the reader, which then stops the walk.
  void member(std::string_view key) {
    if (key == "type") {
      read_string(reader_, &facts_->type_name);
    } else if (key == "index") {
      index();
    } else if (key == "delta") {
      object(&EventWalk::delta_member);
    } else if (key == "content_block") {
      object(&EventWalk::block_member);
    } else if (key == "message") {
      object(&EventWalk::message_member);
    } else if (key == "usage") {
      read_usage(reader_, &facts_->usage);
    } else if (key == "error") {
      error();
    } else {
      reader_.skip();
    }
  }

  void object(void (EventWalk::*read)(std::string_view)) {
    if (reader_.peek() != Type::Object) {
      reader_.skip();
      return;
    }
    reader_.open_object();
    Text key;
    while (reader_.next_member(&key)) (this->*read)(key.raw);
  }

  void index() {
    std::string_view digits;
    if (reader_.peek() != Type::Number) {
      reader_.skip();
    } else if (reader_.number(&digits)) {
      facts_->index = json::to_integer(digits).value_or(-1);
    }
  }

  void delta_member(std::string_view key) {
    Text name;
    if (key == "type") {
      read_string(reader_, &name);
      facts_->delta = kind_of(name, kDeltas);
    } else if (key == "text" || key == "partial_json" || key == "thinking" || key == "signature") {
      read_string(reader_, &facts_->text);
    } else if (key == "stop_reason") {
      read_string(reader_, &facts_->stop_reason);
    } else if (key == "stop_sequence") {
      read_string(reader_, &facts_->stop_sequence);
    } else {
      reader_.skip();
    }
  }

  void block_member(std::string_view key) {
    Text name;
    if (key == "type") {
      read_string(reader_, &name);
      facts_->block = kind_of(name, kBlocks);
    } else if (key == "text" || key == "thinking") {
      read_string(reader_, &facts_->text);
    } else if (key == "id") {
      read_string(reader_, &facts_->block_id);
    } else if (key == "name") {
      read_string(reader_, &facts_->block_name);
    } else if (key == "data") {
      read_string(reader_, &facts_->data);
    } else if (key == "input") {
      reader_.peek();
      const char* start = reader_.pointer();
      if (reader_.skip()) facts_->input = reader_.since(start);
    } else {
      reader_.skip();
    }
  }

  void message_member(std::string_view key) {
    if (key == "id") {
      read_string(reader_, &facts_->message_id);
    } else if (key == "model") {
      read_string(reader_, &facts_->model);
    } else if (key == "usage") {
      read_usage(reader_, &facts_->usage);
    } else {
      reader_.skip();
    }
  }

  void error() {
    chat::ErrorFacts error;
    bool present = false;
    if (!read_error(reader_, &error, &present) || !present) return;
    facts_->error = std::make_unique<chat::ErrorFacts>(std::move(error));
  }

  Reader reader_;
  StreamFacts* facts_;
};

struct PlainDelta {
  std::string_view head;  // what stands between the index and the text
  DeltaType type;
};

constexpr std::string_view kDeltaHead = R"({"type":"content_block_delta","index":)";
constexpr std::array<PlainDelta, 3> kPlainDeltas{{
    {R"(,"delta":{"type":"text_delta","text":)", DeltaType::Text},
    {R"(,"delta":{"type":"input_json_delta","partial_json":)", DeltaType::InputJson},
    {R"(,"delta":{"type":"thinking_delta","thinking":)", DeltaType::Thinking},
}};

}  // namespace

bool read_event(const sse::Event& event, StreamFacts* facts, std::optional<Error>* why) {
  if (!json::is_utf8(event.data)) {
    *why = json::utf8_error(Outcome::UpstreamBadReply, event.data);
    return false;
  }
  EventWalk walk(event.data, facts);
  if (!walk.run()) {
    *why = json::error_of(Outcome::UpstreamBadReply, event.data, walk.reader());
    return false;
  }
  if (facts->type_name.empty()) facts->type_name = {.raw = event.name, .escaped = false};
  facts->type = kind_of(facts->type_name, kEvents);
  if (facts->error) facts->type = EventType::Error;
  return true;
}

bool read_plain_delta(std::string_view payload, StreamFacts* facts) {
  if (!payload.starts_with(kDeltaHead)) return false;
  const char* digits = payload.data() + kDeltaHead.size();
  const auto [stop, error] = std::from_chars(digits, payload.data() + payload.size(), facts->index);
  if (error != std::errc() || facts->index < 0) return false;
  const size_t at = static_cast<size_t>(stop - payload.data());
  for (const PlainDelta& plain : kPlainDeltas) {
    if (!payload.substr(at).starts_with(plain.head)) continue;
    if (!json::is_utf8(payload)) return false;
    Reader reader(payload, at + plain.head.size(), 2);
    Text key;
    // Twice: the ends of delta and event.
    if (!reader.string(&facts->text) || reader.next_member(&key) || reader.next_member(&key) ||
        !reader.finish()) {
      return false;
    }
    facts->type = EventType::BlockDelta;
    facts->delta = plain.type;
    return true;
  }
  return false;
}

}  // namespace sluice::anthropic
