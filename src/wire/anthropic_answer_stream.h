// Streamed answers of the Anthropic dialect to and from the middle form, for exchanges whose client
// and target speak different dialects. Single-threaded; one object per stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/answer_event.h"
#include "wire/anthropic_state.h"

namespace sluice::anthropic {

// Reads an upstream's stream. Blocks of the provider's own tools are left out. A call whose
// arguments never came has "{}".
class EventReader final : public chat::AnswerReader {
 public:
  bool take(const sse::Event& event, std::vector<chat::AnswerEvent>& out) override;
  // True only after message_stop.
  bool finish(std::vector<chat::AnswerEvent>& out) override;
  const chat::StreamError* error() const override { return state_.error(); }

 private:
  void begin_block(const StreamFacts& facts, std::vector<chat::AnswerEvent>& out);
  void delta(const StreamFacts& facts, std::vector<chat::AnswerEvent>& out);
  void end_block(std::vector<chat::AnswerEvent>& out);
  void end_message(const StreamFacts& facts, std::vector<chat::AnswerEvent>& out);

  StreamState state_;
  BlockType block_ = BlockType::None;  // the open one; Other: left out
  bool has_arguments_ = false;
  bool finished_ = false;
};

// Writes an answer for a client. Blocks are opened and closed as the events need them; the stop
// reason and the usage wait for the end, where this dialect has them.
class EventWriter final : public chat::AnswerWriter {
 public:
  // `names` is borrowed and fills in what the upstream does not say; its prompt_tokens is what
  // message_start tells until the upstream has counted (acceptance AG-3).
  explicit EventWriter(const chat::StreamOptions& names) : names_(names) {}

  void write(const chat::AnswerEvent& event, std::string& out) override;
  std::string empty_event() const override { return started_ ? std::string(kPing) : ""; }

 private:
  void start(const chat::AnswerEvent& event, std::string& out);
  void text(BlockType block, std::string_view text, std::string& out);
  void tool_call(const chat::AnswerEvent& event, std::string& out);
  void arguments(std::string_view fragment, std::string& out);
  void open(BlockType block, std::string_view json, std::string& out);
  void close(std::string& out);
  void delta(std::string_view kind, std::string_view member, std::string_view json,
             std::string& out);
  void end(std::string& out);

  chat::StreamOptions names_;
  BlockType block_ = BlockType::None;  // the open one
  int64_t index_ = -1;                 // of the block opened last
  int64_t output_bytes_ = 0;
  bool started_ = false;
  bool custom_ = false;  // the open call takes plain text, which becomes {"input": text}
  bool tool_calls_ = false;
  bool refused_ = false;
  chat::Finish finish_ = chat::Finish::Unknown;
  std::string native_finish_;
  std::string stop_sequence_;
  std::optional<chat::Usage> usage_;
};

}  // namespace sluice::anthropic
