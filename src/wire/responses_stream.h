// A streamed reply of an upstream that speaks Responses, for a client that does: what each event
// means; the bytes go through untouched.
//
// Every event is validated. Usage is read from inside `response` of the event that ends the stream
// (acceptance COST-8). Without such an event the stream is cut short, however it ends (FB-4). Only
// framing is put right: line ends, comments and data of several lines; events stay as they are,
// unknown ones too. Single-threaded; one object per stream, which keeps no text of the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/chat.h"
#include "wire/openai_usage.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::responses {

class StreamReader final : public chat::ReplyStream {
 public:
  enum class Of : uint8_t {
    Answer,
    // A stored response is told once more, from some event on, however it ended: whatever comes is
    // what was asked for, and no usage of this request.
    Replay,
  };
  explicit StreamReader(Of of = Of::Answer) : replays_(of == Of::Replay) {}

  // The event that ends the answer is Done with content, even if there is no text in it: an empty
  // answer is one.
  chat::StreamEvent take(const sse::Event& event, std::string& scratch) override;
  // Complete after response.completed or response.incomplete; a replay always.
  End finish(std::string& scratch) override;

  bool saw_content() const override { return saw_content_; }
  const chat::StreamError* error() const override { return error_.get(); }
  const std::optional<chat::Usage>& usage() const override { return usage_; }
  int64_t output_bytes() const override { return output_bytes_; }
  std::string model() const override { return model_; }
  // None: events are numbered, so none can be repeated. Comments keep such a stream alive.
  std::string empty_event() const override { return ""; }
  std::string response_id() const override { return id_; }
  std::span<const std::string> item_ids() const override { return item_ids_; }
  int64_t next_sequence() const override { return next_sequence_; }

 private:
  using Kind = chat::StreamEvent::Kind;
  struct Payload;

  chat::StreamEvent fail(Outcome outcome, std::string message);
  chat::StreamEvent fail_with(chat::ErrorFacts&& facts);
  bool read(std::string_view data, Payload* payload, json::Reader* reader);
  chat::StreamEvent accept(const sse::Event& event, Payload& payload, std::string& scratch);
  chat::StreamEvent ended(const sse::Event& event, Payload& payload, std::string& scratch);
  void learn(Payload& payload);
  void learn_item(std::string id);

  std::string id_;
  std::string model_;
  std::optional<chat::Usage> usage_;
  std::vector<std::string> item_ids_;
  std::unique_ptr<chat::StreamError> error_;
  int64_t output_bytes_ = 0;
  int64_t next_sequence_ = 0;
  bool saw_content_ = false;
  bool done_ = false;
  const bool replays_;
};

static_assert(sizeof(StreamReader) <= 288);

}  // namespace sluice::responses
