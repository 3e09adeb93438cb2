#include "wire/anthropic_state.h"

#include <fmt/format.h>
#include <utility>

#include "wire/anthropic.h"

namespace sluice::anthropic {

StreamState::Step StreamState::fail(Outcome outcome, std::string message) {
  error_ = std::make_unique<chat::StreamError>();
  error_->outcome = outcome;
  error_->message = std::move(message);
  return Step::Failed;
}

StreamState::Step StreamState::fail_with(const chat::ErrorFacts& facts) {
  fail(outcome_of_error(facts.type, facts.message),
       facts.message.empty() ? "the upstream reported an error without a message" : facts.message);
  error_->type = facts.type;
  error_->code = facts.code;
  return Step::Failed;
}

StreamState::Step StreamState::take(const sse::Event& event, StreamFacts* facts) {
  if (done_ || error_) return Step::Skip;
  if (event.name == "content_block_delta" && read_plain_delta(event.data, facts)) {
    facts->type_name = {.raw = event.name, .escaped = false};
  } else {
    // Whoever turned another dialect into this one may have left its end there.
    if (event.data.empty() || event.data == "[DONE]") return Step::Skip;
    *facts = {};
    std::optional<Error> why;
    if (!read_event(event, facts, &why)) {
      if (event.name == "error") {
        return fail(Outcome::UpstreamError, "the upstream sent an unreadable error event");
      }
      return fail(Outcome::UpstreamBadReply,
                  fmt::format("the upstream sent a bad event: {}", why->message()));
    }
  }
  if (facts->type == EventType::Error) {
    return fail_with(facts->error ? *facts->error : chat::ErrorFacts{});
  }
  if (const char* fault = out_of_order(*facts)) return fail(Outcome::UpstreamBadReply, fault);
  advance(*facts);
  return Step::Event;
}

const char* StreamState::out_of_order(const StreamFacts& facts) const {
  switch (facts.type) {
    case EventType::MessageStart:
      return started_ ? "the upstream began a second message in one stream" : nullptr;
    case EventType::BlockStart:
      if (started_ && facts.index == blocks_) return nullptr;
      return "the upstream began a content block out of order";
    case EventType::BlockDelta:
    case EventType::BlockStop:
      if (started_ && facts.index >= 0 && facts.index < blocks_) return nullptr;
      return "the upstream sent a part of a content block that it had not begun";
    case EventType::MessageDelta:
    case EventType::MessageStop:
      return started_ ? nullptr : "the upstream ended a message that it had not begun";
    case EventType::Ping:
    case EventType::Error:
    case EventType::Other:
      return nullptr;
  }
  return nullptr;
}

void StreamState::advance(const StreamFacts& facts) {
  if (facts.type == EventType::MessageStart) started_ = true;
  if (facts.type == EventType::BlockStart) ++blocks_;
  if (facts.type == EventType::MessageStop) done_ = true;
  if (!facts.has_usage()) return;
  counts_.update(facts.usage);
  usage_ = counts_.buckets();
}

}  // namespace sluice::anthropic
