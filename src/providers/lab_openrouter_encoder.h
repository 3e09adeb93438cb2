// Chat and completion replies as OpenRouter writes them: OpenAI's, with who answered, the reason as
// the vendor put it, and the cost; with comments between the events of a stream.
#pragma once

#include <string>
#include <string_view>

#include "providers/lab_chat.h"

namespace sluice::providers {

class LabOpenRouterEncoder final : public LabChatEncoder {
 public:
  using LabChatEncoder::LabChatEncoder;

 private:
  void render(std::string& out, const LabStep& step) override;
  std::string id() const override;
  void append_origin(std::string& out) const override;
  void append_finish(std::string& out, std::optional<std::string_view> reason) const override;
  void append_charge(std::string& out, const LabUsage& usage) const override;
  bool has_null_usage() const override { return false; }
  void append_failure(std::string& out, int status) const;

  size_t events_ = 0;
};

// "chatcmpl-lab1" -> "gen-lab1"
std::string lab_openrouter_id(std::string_view completion_id);
// "openai/gpt-5-mini" -> "Openai": who answered.
std::string lab_openrouter_provider(std::string_view model);

}  // namespace sluice::providers
