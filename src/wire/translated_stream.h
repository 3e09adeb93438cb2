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

class TranslatedStream final : public ReplyStream {
 public:
  TranslatedStream(std::unique_ptr<AnswerReader> reader, std::unique_ptr<AnswerWriter> writer)
      : reader_(std::move(reader)), writer_(std::move(writer)) {}

  StreamEvent take(const sse::Event& event, std::string& scratch) override;
  End finish(std::string& scratch) override;
  bool saw_content() const override { return saw_content_; }
  const StreamError* error() const override { return reader_->error(); }
  const std::optional<Usage>& usage() const override { return usage_; }
  int64_t output_bytes() const override { return output_bytes_; }
  std::string model() const override { return model_; }
  std::string empty_event() const override { return writer_->empty_event(); }

 private:
  StreamEvent write(std::string& scratch);

  std::unique_ptr<AnswerReader> reader_;
  std::unique_ptr<AnswerWriter> writer_;
  std::vector<AnswerEvent> events_;  // of the event in hand
  std::string model_;
  std::optional<Usage> usage_;
  int64_t output_bytes_ = 0;
  bool saw_content_ = false;
  bool done_ = false;
};

}  // namespace sluice::chat
