// Chat and completion replies as OpenAI writes them: one object, or a stream of chunks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "providers/lab_encoder.h"

namespace sluice::providers {

class LabChatEncoder : public LabEncoder {
 public:
  LabChatEncoder(const LabRequest& request, LabCompletion completion, const LabPlan& plan,
                 LabPrice price);

  std::string buffered() const override;

 protected:
  void render(std::string& out, const LabStep& step) override;
  // What a provider of the same dialect says otherwise.
  virtual std::string id() const { return completion_.id; }
  // Who made this: members, each with a comma behind it.
  virtual void append_origin(std::string& out) const;
  // "finish_reason":"stop"; nothing: null.
  virtual void append_finish(std::string& out, std::optional<std::string_view> reason) const;
  // Of the usage: members, each with a comma before it.
  virtual void append_charge(std::string& out, const LabUsage& usage) const;
  // `usage: null` on ordinary chunks.
  virtual bool has_null_usage() const { return include_usage_; }
  void append_prefix(std::string& out, std::string_view object) const;

 private:
  std::string chunk(const LabStep& step);
  void append_choice(std::string& out, const LabStep& step) const;
  void append_delta(std::string& out, const LabStep& step) const;
  void append_call_delta(std::string& out, const LabStep& step) const;
  void append_message(std::string& out, const LabChoice& choice) const;
  void append_usage(std::string& out, const LabUsage& usage) const;
  void append_chunk_usage(std::string& out, const LabStep& step) const;

  const bool chat_;
  const bool include_usage_;
  int64_t sent_tokens_ = 0;
};

}  // namespace sluice::providers
