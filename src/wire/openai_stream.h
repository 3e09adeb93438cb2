// A streamed reply of the OpenAI dialect, event by event: what each event means, and the bytes the
// client gets for it.
//
// A chunk that is as OpenAI would have sent it passes untouched; anything else is repaired
// (acceptance SSE-2, SSE-3, SSE-4) or ends the stream as a bad reply. Every chunk is validated:
// after the first good one only from `choices` on, for what stands before it must be the same
// bytes. Usage is read from wherever the upstream puts it, the last one counts, and the client sees
// it once before [DONE] if it asked, else never (COST-2 to COST-6). Single-threaded; one object per
// stream. Idle it holds its head (about 150 bytes) and nothing else, unless tool calls are open.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/outcome.h"
#include "wire/chat.h"
#include "wire/openai_chunk.h"
#include "wire/openai_tools.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::openai {

using chat::StreamError;
using chat::StreamEvent;
using chat::StreamOptions;

class StreamReader final : public chat::ReplyStream {
 public:
  explicit StreamReader(const StreamOptions& options) : options_(options) {}

  StreamEvent take(const sse::Event& event, std::string& scratch) override;
  // Complete if it said [DONE] or every choice it began was finished.
  End finish(std::string& scratch) override;

  bool saw_content() const override { return saw_content_; }
  bool saw_finish() const { return !seen_.empty() && finished_.has_all(seen_); }
  bool saw_done() const { return done_; }
  const StreamError* error() const override { return error_.get(); }
  const std::optional<chat::Usage>& usage() const override { return usage_; }
  int64_t output_bytes() const override { return output_bytes_; }
  std::string model() const override;
  std::string empty_event() const override;

 private:
  using Kind = StreamEvent::Kind;

  StreamEvent fail(Outcome outcome, std::string message);
  StreamEvent fail_with(chat::ErrorFacts&& facts);
  StreamEvent done(const sse::Event& event, std::string& scratch);
  StreamEvent chunk(const sse::Event& event, std::string& scratch);
  StreamEvent accept(const sse::Event& event, const Chunk& chunk, bool same_head,
                     std::string& scratch);
  bool decide_tools();
  void learn(std::string_view payload, const Chunk& chunk);
  bool has_identity(const Chunk& chunk) const;
  Identity identity() const;
  void note_usage(const sse::Event& event, const Chunk& chunk, bool repair);
  std::string_view render(const sse::Event& event, const Chunk& chunk, bool repair,
                          std::string& scratch) const;
  Repair repair_for(const Chunk& chunk) const;
  void count(const Chunk& chunk, bool content);
  std::string_view ending(std::string& scratch);

  StreamOptions options_;
  // Everything up to and including `"choices":[` as the first chunk had it.
  std::string head_;
  chat::Span id_;  // in head_, quotes included
  chat::Span created_;
  chat::Span model_;
  ChoiceSet seen_;
  ChoiceSet roles_;
  ChoiceSet finished_;
  std::optional<chat::Usage> usage_;
  chat::ServiceTier tier_ = chat::ServiceTier::Unsaid;
  std::unique_ptr<std::string> pending_usage_;  // the event the client gets before [DONE]
  std::unique_ptr<ToolCalls> tools_;
  std::unique_ptr<StreamError> error_;
  int64_t output_bytes_ = 0;
  bool saw_content_ = false;
  bool done_ = false;
};

static_assert(sizeof(StreamReader) <= 408);

}  // namespace sluice::openai
