// How a reply is put into the bytes of one dialect: buffered, or step by step (lab_step.h). What
// every dialect shares is here: the framing of events, which has its own faults, and the wrong
// forms of numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "providers/lab_completion.h"
#include "providers/lab_step.h"

namespace sluice::providers {

inline constexpr std::string_view kLabFingerprint = "lab: not a real model";
// Of every reply and model: the same request gives the same bytes on any day.
inline constexpr int64_t kLabCreated = 1'795'420'800;
// "2026-11-23T08:00:00Z": the same moment.
inline constexpr std::string_view kLabCreatedText = "2026-11-23T08:00:00Z";
// Bytes in the padding of an oversized event.
inline constexpr size_t kLabOversized = 20U << 20U;

// Renders the replies of one request. Owns what it needs of it.
class LabEncoder {
 public:
  LabEncoder(const LabRequest& request, LabCompletion completion, const LabPlan& plan,
             LabPrice price);
  virtual ~LabEncoder() = default;
  LabEncoder(const LabEncoder&) = delete;
  LabEncoder& operator=(const LabEncoder&) = delete;

  virtual std::string buffered() const = 0;
  // The same before its end, of dialects that have such a thing: "queued", "cancelled".
  virtual std::string unfinished(std::string_view) const { return ""; }
  // Appends the events of the step, framed as the plan wants it. Requires: step.is_event().
  void append_event(std::string& out, const LabStep& step);

  const LabCompletion& completion() const { return completion_; }

 protected:
  // Appends the events of any step but Comment and HalfText, each by append_framed().
  virtual void render(std::string& out, const LabStep& step) = 0;

  // One event; `event` may be empty: no such line.
  void append_framed(std::string& out, std::string_view data, std::string_view event) const;
  // A count of tokens, as wrong as the plan wants it.
  void append_count(std::string& out, int64_t count) const;
  // ,"cost":...
  void append_cost(std::string& out, const LabUsage& usage) const;
  // The piece of text, thoughts or arguments that the step carries.
  std::string_view piece_of(const LabStep& step) const;

  const std::string model_;
  const LabCompletion completion_;
  const LabPlan plan_;
  const LabPrice price_;

 private:
  bool begun_ = false;
};

}  // namespace sluice::providers
