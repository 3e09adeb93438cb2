// A stream of the lab as a list of steps, made whole before the first is sent: what is wrong with a
// stream is an edit of that list. Steps are the same for every dialect; an encoder (lab_encoder.h)
// renders them. Sending one is rendering one, so a long stream costs a few bytes per step.
#pragma once

#include <cstdint>
#include <vector>

#include "providers/lab_completion.h"

namespace sluice::providers {

struct LabStep {
  enum class Kind : uint8_t {
    // Events.
    Opening,     // what stands before all content: role, message_start, response.created
    BlockStart,  // dialects of blocks only: text, calls and thoughts each in a block
    BlockStop,
    EmptyDelta,
    Bare,  // a chunk without text, `choices` as the plan has them
    PromptUsage,
    Text,
    Thinking,
    CallHead,
    CallArguments,
    Finish,
    Usage,
    Done,
    Comment,
    HalfText,  // the first half of an event
    BadJson,
    Oversized,
    Error,
    ErrorEvent,
    OpenRouterError,
    RateLimitError,
    OverloadedError,
    // What the sender does.
    Repeat,  // back to the first step with content
    Stall,
    Close,
    End,
    Reset,
  };
  // What the step's content is part of.
  enum class Part : uint8_t { Text, Call, Thinking };

  Kind kind = Kind::Text;
  Part part = Part::Text;
  bool last_of_call = false;
  bool with_usage = false;
  uint16_t choice = 0;
  uint16_t call = 0;
  uint16_t block = 0;  // counts from 0 over the blocks of the reply
  uint16_t tokens = 0;
  uint32_t begin = 0;  // of the text, the thoughts or the arguments
  uint32_t length = 0;

  bool is_event() const { return kind < Kind::Repeat; }
};

std::vector<LabStep> lab_steps(const LabRequest& request, const LabCompletion& completion,
                               const LabPlan& plan);

}  // namespace sluice::providers
