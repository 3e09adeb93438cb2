// A streamed answer of the OpenAI chat dialect as events of the middle form, and written from them:
// for when client and upstream speak different dialects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/answer_event.h"
#include "wire/openai_events_order.h"
#include "wire/openai_stream.h"
#include "wire/openai_write_json.h"

namespace sluice::openai {

// Reads the chunks of an OpenAI stream, the first choice of them. What chunks may look like is
// StreamReader's matter: this one reads what StreamReader would send.
//
// Finish, Usage and End are told together when the stream is over, for usage may stand anywhere.
// Single-threaded; one object per stream.
class EventReader final : public chat::AnswerReader {
 public:
  // The options' strings are borrowed.
  explicit EventReader(const StreamOptions& options);

  bool take(const sse::Event& event, std::vector<chat::AnswerEvent>& out) override;
  bool finish(std::vector<chat::AnswerEvent>& out) override;
  const StreamError* error() const override { return own_error_ ? &*own_error_ : reader_.error(); }

 private:
  struct Delta;

  void read_chunk(std::string_view payload, std::vector<chat::AnswerEvent>& out);
  void read_choice(json::Reader& reader, Delta* delta);
  void start(json::Reader reader, std::vector<chat::AnswerEvent>& out);
  void tell(Delta&& delta, std::vector<chat::AnswerEvent>& out);
  void end(std::vector<chat::AnswerEvent>& out);

  StreamOptions options_;
  StreamReader reader_;
  PartOrder order_;
  std::string scratch_;
  std::optional<StreamError> own_error_;
  std::string finish_word_;
  bool started_ = false;
  bool ended_ = false;
};

// Writes chunks: the role first, then content, `reasoning_content` and tool calls numbered from 0,
// the finish, usage with `choices` [] if the client asked, and [DONE]. Id, created and model are
// the answer's own, else the options'; they stay the same. Signatures and encrypted reasoning have
// no place here and are left out. Single-threaded; one object per stream.
class EventWriter final : public chat::AnswerWriter {
 public:
  // The options' strings are borrowed.
  explicit EventWriter(const StreamOptions& options) : options_(options) {}

  void write(const chat::AnswerEvent& event, std::string& out) override;
  std::string empty_event() const override;

 private:
  void start(const chat::AnswerEvent& event, std::string& out);
  // One chunk with this delta; `finish` stands for null where it is null.
  void chunk(std::string_view delta, const chat::AnswerEvent* finish, std::string& out) const;
  void text_chunk(std::string_view field, std::string_view text, std::string& out) const;
  void call(const chat::AnswerEvent& event, std::string& out);
  void arguments(std::string_view text, std::string& out);
  void close_call(std::string& out);
  void end(std::string& out) const;

  StreamOptions options_;
  std::string head_;  // of every chunk, up to the value of choices; empty before Start
  std::optional<chat::Usage> usage_;
  int64_t calls_ = 0;
  bool custom_ = false;  // the call that is open takes plain text
  bool bare_ = false;    // ... has no arguments yet, where JSON is expected
};

}  // namespace sluice::openai
