// Replies as Anthropic writes them: a message of blocks, or its events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "providers/lab_encoder.h"

namespace sluice::providers {

class LabAnthropicEncoder final : public LabEncoder {
 public:
  using LabEncoder::LabEncoder;

  std::string buffered() const override;

 private:
  void render(std::string& out, const LabStep& step) override;
  void render_opening(std::string& out) const;
  void render_start(std::string& out, const LabStep& step) const;
  void render_delta(std::string& out, const LabStep& step) const;
  void render_stop(std::string& out, const LabStep& step) const;
  // A message_delta; `finish`: it says why the message ended.
  void render_message_delta(std::string& out, bool finish, bool with_usage) const;
  void render_error(std::string& out, int status) const;
  void append_head(std::string& out) const;
  void append_thinking(std::string& out) const;
  void append_stop(std::string& out) const;
  void append_field(std::string& out, std::string_view name, int64_t count) const;
  // "usage":{...}
  void append_usage(std::string& out, int64_t output, bool with_input) const;
  // Of the block of the step, as wrong as the plan wants it for calls.
  void append_index(std::string& out, const LabStep& step) const;
  std::string_view stop_reason() const;

  int64_t sent_tokens_ = 0;
};

}  // namespace sluice::providers
