// Writes a streamed answer of the middle form as Responses events: for a client of this dialect
// whose upstream speaks another.
//
//   response.created, response.in_progress, then for each item response.output_item.added, what it
//   is made of, response.output_item.done, and at last response.completed or response.incomplete
//   with the whole answer in it
//
// Numbered from 0 (acceptance SSE-6). Text and refusals make a message, thinking a reasoning item
// with a summary, tool calls an item each. What the dialect demands at the end makes this object
// keep the whole answer until then. Single-threaded; one object per stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/answer_event.h"
#include "wire/responses.h"

namespace sluice::responses {

class EventWriter final : public chat::AnswerWriter {
 public:
  // The names' strings are borrowed until Start has been written.
  explicit EventWriter(const ResponseNames& names) : names_(names) {}

  void write(const chat::AnswerEvent& event, std::string& out) override;
  // None: events are numbered, so none can be repeated. Comments keep such a stream alive.
  std::string empty_event() const override { return ""; }
  int64_t next_sequence() const override { return sequence_; }
  std::string response_id() const override { return id_; }

 private:
  enum class Item : uint8_t { None, Message, Reasoning, Call };
  enum class Text : uint8_t { None, Output, Refusal, Summary };
  struct Words;

  static const Words& words_of(Text kind);
  void begin(std::string_view type, std::string& out);
  // Begins an event about the open item.
  void begin_item(std::string_view type, std::string& out);
  // ... about its open part.
  void begin_part(std::string_view type, std::string& out);
  static void end(std::string& out);

  void start(const chat::AnswerEvent& event, std::string& out);
  void text(Text kind, std::string_view text, std::string& out);
  void signature(std::string_view text, std::string& out);
  void redacted(std::string_view data, std::string& out);
  void call(const chat::AnswerEvent& event, std::string& out);
  void arguments(std::string_view text, std::string& out);
  void terminal(std::string& out);

  void open_item(Item item, std::string_view prefix, std::string& out);
  void open_text(Text kind, std::string& out);
  void close_text(std::string& out);
  void close_call(std::string& out);
  void close_item(std::string_view status, std::string& out);
  void append_item(std::string_view status, std::string& out) const;

  ResponseNames names_;
  std::string id_;
  std::string head_;     // of every response object of this stream
  std::string output_;   // the items that are closed, joined by commas
  std::string item_id_;  // of the open item
  std::string content_;  // its closed parts, joined by commas
  std::string text_;     // of its open part, or the arguments of the open call
  std::string call_id_;
  std::string name_;
  std::string signature_;
  std::string redacted_;
  std::optional<chat::Usage> usage_;
  int64_t sequence_ = 0;
  int64_t output_index_ = 0;
  int64_t part_index_ = 0;
  chat::Finish finish_ = chat::Finish::Unknown;
  Item item_ = Item::None;
  Text part_ = Text::None;
  bool custom_ = false;  // the open call takes plain text
};

}  // namespace sluice::responses
