// A streamed reply whose upstream and client speak different dialects: the one's events are read
// into the middle form, and written in the other's. Single-threaded; one object per stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wire/answer_event.h"
#include "wire/reply_stream.h"

namespace sluice::chat {

// An answer that another upstream may have to go on with when the first one fails in the middle:
// what the client has got so far, and the writer that knows where it stands. Outlives the streams.
struct Continuation {
  std::unique_ptr<AnswerWriter> writer;
  std::string text;       // that the client has seen
  bool started = false;   // an upstream has begun
  bool only_text = true;  // calls of tools and refusals cannot be taken up by somebody else
  bool possible() const { return only_text && !text.empty(); }
};

class TranslatedStream final : public ReplyStream {
 public:
  TranslatedStream(std::unique_ptr<AnswerReader> reader, std::unique_ptr<AnswerWriter> writer)
      : reader_(std::move(reader)), own_writer_(std::move(writer)), writer_(own_writer_.get()) {}
  // Begins the answer, or goes on with it.
  TranslatedStream(std::unique_ptr<AnswerReader> reader, Continuation& continuation)
      : reader_(std::move(reader)),
        writer_(continuation.writer.get()),
        continuation_(&continuation),
        resumes_(continuation.started) {}

  StreamEvent take(const sse::Event& event, std::string& scratch) override;
  End finish(std::string& scratch) override;
  bool saw_content() const override { return saw_content_; }
  const StreamError* error() const override { return reader_->error(); }
  const std::optional<Usage>& usage() const override { return usage_; }
  int64_t output_bytes() const override { return output_bytes_; }
  std::string model() const override { return model_; }
  std::string empty_event() const override { return writer_->empty_event(); }
  int64_t next_sequence() const override { return writer_->next_sequence(); }
  std::string response_id() const override { return writer_->response_id(); }

 private:
  StreamEvent write(std::string& scratch);
  // False: the client must not see this event of an answer that goes on.
  bool note(const AnswerEvent& event);

  std::unique_ptr<AnswerReader> reader_;
  std::unique_ptr<AnswerWriter> own_writer_;
  AnswerWriter* writer_;
  Continuation* continuation_ = nullptr;
  std::vector<AnswerEvent> events_;  // of the event in hand
  std::string model_;
  std::optional<Usage> usage_;
  int64_t output_bytes_ = 0;
  bool saw_content_ = false;
  bool done_ = false;
  bool resumes_ = false;
};

}  // namespace sluice::chat
