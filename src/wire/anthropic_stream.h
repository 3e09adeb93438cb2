// A streamed reply of the Anthropic dialect for a client of the same dialect, event by event: what
// each event means, and the bytes the client gets for it.
//
// An event framed as the provider frames it ("event: NAME\ndata: JSON\n\n", the name that of the
// JSON) passes byte for byte; any other framing is written anew, for the vendor's SDKs skip events
// without a name. Every payload is validated. Single-threaded; one object per stream, which holds
// no memory but itself and its model's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/anthropic_state.h"
#include "wire/chat.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::anthropic {

class StreamReader final : public chat::ReplyStream {
 public:
  chat::StreamEvent take(const sse::Event& event, std::string& scratch) override;
  // Complete only after message_stop.
  End finish(std::string& scratch) override;

  bool saw_content() const override { return saw_content_; }
  const chat::StreamError* error() const override { return state_.error(); }
  const std::optional<chat::Usage>& usage() const override { return state_.usage(); }
  int64_t output_bytes() const override { return output_bytes_; }
  std::string model() const override { return model_; }
  std::string empty_event() const override;

 private:
  using Kind = chat::StreamEvent::Kind;

  Kind kind_of(const StreamFacts& facts) const;
  bool is_visible(const StreamFacts& facts) const;

  StreamState state_;
  std::string model_;
  int64_t output_bytes_ = 0;
  bool saw_content_ = false;
};

static_assert(sizeof(StreamReader) <= 288);

}  // namespace sluice::anthropic
