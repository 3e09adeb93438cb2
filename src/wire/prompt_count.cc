#include "wire/prompt_count.h"

#include <algorithm>
#include <string_view>

#include "wire/text_estimate.h"

namespace sluice::tokens {
namespace {

using chat::Part;

class PromptCounter {
 public:
  PromptCounter(const Format& format, const Encoding* encoding, Merger& merger)
      : format_(format), encoding_(encoding), merger_(merger) {}

  void add(const chat::Conversation& conversation);
  const Count& count() const { return count_; }

 private:
  void add(const chat::Message& message, bool thoughts);
  void add(const Part& part, bool thoughts);
  void add(const chat::Tool& tool);
  void add_text(std::string_view text);
  // What has no published count.
  void add_estimate(int64_t tokens) { count_ += {.tokens = tokens, .exact = false}; }

  const Format& format_;
  const Encoding* encoding_;
  Merger& merger_;
  size_t counted_ = 0;  // bytes of text
  Count count_;
};

void PromptCounter::add_text(std::string_view text) {
  counted_ += text.size();
  if (encoding_ == nullptr || counted_ > kMostCounted) {
    add_estimate(estimate_text(text));
  } else {
    count_ += encoding_->count(text, merger_);
  }
}

void PromptCounter::add(const Part& part, bool thoughts) {
  const auto data = static_cast<int64_t>(part.data.size());
  switch (part.kind) {
    case Part::Kind::Text:
      return add_text(part.text);
    case Part::Kind::Refusal:
      return add_text(part.text);
    case Part::Kind::Image:
      return add_estimate(part.detail == "low" ? format_.low_image : format_.image);
    case Part::Kind::File:
      return add_estimate(format_.document + data / format_.document_bytes);
    case Part::Kind::Audio:
      return add_estimate(data / format_.audio_bytes);
    case Part::Kind::ToolCall:
      add_estimate(format_.tool_block);
      add_text(part.name);
      return add_text(part.arguments);
    case Part::Kind::ToolResult:
      add_estimate(format_.tool_block);
      for (const Part& inner : part.content) add(inner, thoughts);
      return;
    case Part::Kind::Thinking:
      return thoughts ? add_text(part.text) : void();
    case Part::Kind::Redacted:
      return thoughts ? add_text(part.data) : void();
    case Part::Kind::Foreign:
      add_estimate(0);
      return add_text(part.json);
  }
}

void PromptCounter::add(const chat::Message& message, bool thoughts) {
  count_.tokens += format_.message;
  if (!message.name.empty()) {
    count_.tokens += format_.name;
    add_text(message.name);
  }
  // How several texts of one message are put together is not published.
  if (message.parts.size() > 1) add_estimate(0);
  for (const Part& part : message.parts) add(part, thoughts);
}

void PromptCounter::add(const chat::Tool& tool) {
  add_estimate(format_.tool);
  add_text(tool.name);
  add_text(tool.description);
  add_text(tool.parameters);
  add_text(tool.json);
}

// Thoughts from before are forgotten.
size_t last_words_of_user(const chat::Conversation& conversation) {
  for (size_t i = conversation.messages.size(); i-- > 0;) {
    const chat::Message& message = conversation.messages[i];
    const bool speaks =
        std::any_of(message.parts.begin(), message.parts.end(),
                    [](const Part& part) { return part.kind != Part::Kind::ToolResult; });
    if (message.role == chat::Role::User && speaks) return i;
  }
  return 0;
}

void PromptCounter::add(const chat::Conversation& conversation) {
  count_.tokens += format_.request;
  const size_t spoken = last_words_of_user(conversation);
  for (size_t i = 0; i < conversation.messages.size(); ++i) {
    add(conversation.messages[i], format_.keeps_thoughts && i > spoken);
  }
  if (!conversation.tools.empty()) add_estimate(format_.first_tool);
  for (const chat::Tool& tool : conversation.tools) add(tool);
  if (!conversation.format.schema.empty()) add_estimate(estimate_text(conversation.format.schema));
}

}  // namespace

Count count_prompt(const chat::Conversation& conversation, const Format& format,
                   const Encoding* encoding, Merger& merger) {
  PromptCounter counter(format, encoding, merger);
  counter.add(conversation);
  return counter.count();
}

}  // namespace sluice::tokens
