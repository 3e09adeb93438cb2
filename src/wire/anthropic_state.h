// How far a stream of the dialect has come: what both its readers have to know, whatever they make
// of its events. Not for other rooms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "wire/anthropic_event.h"
#include "wire/reply_stream.h"
#include "wire/sse.h"

namespace sluice::anthropic {

class StreamState {
 public:
  enum class Step : uint8_t { Event, Skip, Failed };

  // Event: *facts is what it says, and it may come now. Skip: it says nothing, or the stream is
  // over. Failed: it is an error, is unreadable or comes in an order that would make an SDK fail (a
  // block that was never begun, anything before message_start); see error().
  Step take(const sse::Event& event, StreamFacts* facts);

  Step fail(Outcome outcome, std::string message);

  bool started() const { return started_; }
  bool done() const { return done_; }  // message_stop has come
  int64_t blocks() const { return blocks_; }
  const chat::StreamError* error() const { return error_.get(); }
  // Input is counted by message_start, output by the last message_delta (acceptance COST-8).
  const std::optional<chat::Usage>& usage() const { return usage_; }

 private:
  Step fail_with(const chat::ErrorFacts& facts);
  // Null if the event may come now, else what is wrong with its place.
  const char* out_of_order(const StreamFacts& facts) const;
  void advance(const StreamFacts& facts);

  UsageCounts counts_;
  std::optional<chat::Usage> usage_;
  std::unique_ptr<chat::StreamError> error_;
  int64_t blocks_ = 0;  // begun so far: their indices are 0 to blocks_ - 1
  bool started_ = false;
  bool done_ = false;
};

}  // namespace sluice::anthropic
