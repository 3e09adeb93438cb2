// Snowflake's native inference API (POST /api/v2/cortex/inference:complete), from and to the middle
// form. Pure; embeddings are in wire/cortex_embed.h. Facts of the format: its REST reference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/answer_event.h"
#include "wire/conversation.h"
#include "wire/openai_events_order.h"

namespace sluice::cortex {

struct ContentItem;

// Writes the body. Roles alternate: turns of one role become one, system messages that come later
// become text of the user's turn. `stream` is always said, for the API streams by default, and so
// is `max_tokens`. Images are sent as data only. Reasoning is asked of Claude by a budget, of
// OpenAI's models by an effort. What has no place is named in `dropped`, as openai::write_request
// does. Error BadRequest: nothing to send, or the last turn is not the user's, which this API wants
// (`param` is "messages").
Result<chat::Translated> write_complete_request(const chat::Conversation& conversation,
                                                const chat::TargetTraits& traits);

// The `max_tokens` that write_complete_request sent.
int64_t max_tokens_of(const chat::Conversation& conversation, const chat::TargetTraits& traits);

// Reads a buffered answer. The API does not say why an answer ended: one with tool calls ended for
// them, one of `max_tokens` tokens for its length, any other because it was done. A reason that is
// given goes first. Errors: what the body says instead of an answer, or UpstreamBadReply.
Result<chat::Answer> read_answer(std::string_view body, int64_t max_tokens);

// Reads the events of a stream. It ends by closing, without a word: it is complete if its last
// event carried usage or a finish was seen, else it was cut short. Single-threaded; one per stream.
class EventReader final : public chat::AnswerReader {
 public:
  // The options' strings are borrowed: names for where the upstream gives none.
  EventReader(const chat::StreamOptions& options, int64_t max_tokens)
      : options_(options), max_tokens_(max_tokens) {}

  bool take(const sse::Event& event, std::vector<chat::AnswerEvent>& out) override;
  bool finish(std::vector<chat::AnswerEvent>& out) override;
  const chat::StreamError* error() const override { return error_ ? &*error_ : nullptr; }

 private:
  struct Chunk;

  bool fail(Outcome outcome, std::string message);
  bool accept(Chunk&& chunk, std::vector<chat::AnswerEvent>& out);
  void start(Chunk& chunk, std::vector<chat::AnswerEvent>& out);
  bool tell(ContentItem&& item, std::vector<chat::AnswerEvent>& out);
  bool tell_call(ContentItem&& item, std::vector<chat::AnswerEvent>& out);
  void end(std::vector<chat::AnswerEvent>& out);

  chat::StreamOptions options_;
  int64_t max_tokens_;
  openai::PartOrder order_;
  std::optional<chat::StreamError> error_;
  std::optional<chat::Usage> usage_;
  std::string finish_word_;
  std::string call_id_;  // of the call that goes on, as the upstream names it
  int64_t calls_ = 0;
  bool last_had_usage_ = false;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace sluice::cortex
