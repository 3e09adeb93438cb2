// Replies of OpenAI's Responses API: one object, or its numbered events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "providers/lab_encoder.h"

namespace sluice::providers {

class LabResponsesEncoder final : public LabEncoder {
 public:
  LabResponsesEncoder(const LabRequest& request, LabCompletion completion, const LabPlan& plan,
                      LabPrice price);

  std::string buffered() const override;
  std::string unfinished(std::string_view status) const override { return response(status, ""); }

 private:
  void render(std::string& out, const LabStep& step) override;
  // An event: {"type":<event>,"sequence_number":N,<members>}.
  void event(std::string& out, std::string_view type, std::string_view members);
  void render_start(std::string& out, const LabStep& step);
  void render_delta(std::string& out, const LabStep& step);
  void render_stop(std::string& out, const LabStep& step);
  void render_failed(std::string& out, std::string_view code, std::string_view message);
  void render_error(std::string& out, std::string_view code, std::string_view message);

  // The whole object; `error` is JSON, for a failed one.
  std::string response(std::string_view status, std::string_view error) const;
  std::string output() const;
  // The item of a block; without `done` as it begins.
  std::string item(LabStep::Part part, size_t call, size_t block, bool done) const;
  std::string item_id(LabStep::Part part, size_t call, size_t block) const;
  // "item_id":...,"output_index":N
  std::string place(const LabStep& step) const;
  void append_usage(std::string& out) const;
  std::string_view final_status() const;

  const std::string repeated_;
  const bool encrypted_;
  const bool background_;
  int64_t sequence_ = 0;
};

}  // namespace sluice::providers
