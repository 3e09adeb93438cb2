// Chat and completion replies as OpenAI writes them: one object, or a stream of chunks.
//
// A stream is a list of steps, made whole before the first is sent: what is wrong with a stream is
// an edit of that list. Sending one is rendering one, so a long stream costs a few bytes per step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "providers/lab_completion.h"

namespace sluice::providers {

inline constexpr std::string_view kLabFingerprint = "lab: not a real model";
// Of every reply and model: the same request gives the same bytes on any day.
inline constexpr int64_t kLabCreated = 1'795'420'800;

struct LabStep {
  enum class Kind : uint8_t {
    // Events.
    Role,
    EmptyDelta,
    Bare,  // a chunk without text, `choices` as the plan has them
    PromptUsage,
    Text,
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
  Kind kind = Kind::Text;
  bool last_of_call = false;
  bool with_usage = false;
  uint16_t choice = 0;
  uint16_t call = 0;
  uint16_t tokens = 0;
  uint32_t begin = 0;  // of the text or the arguments
  uint32_t length = 0;

  bool is_event() const { return kind < Kind::Repeat; }
};

std::vector<LabStep> lab_steps(const LabRequest& request, const LabCompletion& completion,
                               const LabPlan& plan);

// Renders the replies of one request. Owns what it needs of it.
class LabEncoder {
 public:
  LabEncoder(const LabRequest& request, LabCompletion completion, const LabPlan& plan,
             LabPrice price);

  std::string buffered() const;
  // Appends the event, framed as the plan wants it. Requires: step.is_event().
  void append_event(std::string& out, const LabStep& step);

  const LabCompletion& completion() const { return completion_; }

 private:
  std::string chunk(const LabStep& step);
  void append_prefix(std::string& out, std::string_view object) const;
  void append_choice(std::string& out, const LabStep& step) const;
  void append_delta(std::string& out, const LabStep& step) const;
  void append_call_delta(std::string& out, const LabStep& step) const;
  void append_message(std::string& out, const LabChoice& choice) const;
  void append_usage(std::string& out, const LabUsage& usage) const;
  void append_cost(std::string& out, const LabUsage& usage) const;
  void append_count(std::string& out, int64_t count) const;
  void append_chunk_usage(std::string& out, const LabStep& step) const;
  void append_framed(std::string& out, std::string_view data, std::string_view event) const;

  bool chat_;
  bool include_usage_;
  std::string model_;
  LabCompletion completion_;
  LabPlan plan_;
  LabPrice price_;
  int64_t sent_tokens_ = 0;
  bool begun_ = false;
};

}  // namespace sluice::providers
