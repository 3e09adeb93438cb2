// The middle form as text a person can review in a golden file: one line a part or event, and only
// what is set. For tests.
#pragma once

#include <array>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/answer_event.h"
#include "wire/conversation.h"
#include "wire/json.h"

namespace sluice::golden {

// " name=value", quoted; nothing for an empty value.
inline std::string member(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  std::string out = fmt::format(" {}=", name);
  json::append_quoted(out, value);
  return out;
}

template <class Value>
std::string member(std::string_view name, const std::optional<Value>& value) {
  return value ? fmt::format(" {}={}", name, *value) : "";
}

inline std::string show(const Error& error) {
  return fmt::format("{}: {}\n", name_of(error.outcome()), error.message());
}

// An error as an upstream words it.
inline std::string show_error(Outcome outcome, std::string_view message, std::string_view code,
                              std::string_view type) {
  return fmt::format("error: {} \"{}\" code=\"{}\" type=\"{}\"\n", name_of(outcome), message, code,
                     type);
}

// "" unless the reply is one.
inline std::string show_error(const chat::Reply& reply) {
  if (!reply.is_error) return "";
  return show_error(reply.error_outcome, reply.error_message, reply.error_code, reply.error_type);
}

inline std::string show(const std::optional<chat::Usage>& usage) {
  if (!usage) return "none";
  std::string text = fmt::format(
      "plain_input={} cache_read={} cache_write={} cache_write_1h={} visible_output={} "
      "reasoning={}",
      usage->plain_input, usage->cache_read, usage->cache_write, usage->cache_write_1h,
      usage->visible_output, usage->reasoning);
  if (usage->provider_cost) text += fmt::format(" cost={}", *usage->provider_cost);
  return text;
}

inline std::string show(const chat::Part& part, const std::string& indent) {
  constexpr std::array<std::string_view, 10> kKinds{
      "text",        "image",    "file",     "audio",   "tool_call",
      "tool_result", "thinking", "redacted", "refusal", "foreign"};
  std::string out = indent + std::string(kKinds[static_cast<size_t>(part.kind)]);
  out += member("id", part.id) + member("name", part.name) + member("text", part.text);
  out += member("url", part.url) + member("media_type", part.media_type);
  out += member("data", part.data) + member("file_id", part.file_id);
  out += member("detail", part.detail) + member("arguments", part.arguments);
  out += member("signature", part.signature) + member("cache_control", part.cache_control);
  out += member("json", part.json);
  if (part.custom) out += " custom";
  if (part.is_error) out += " is_error";
  out += '\n';
  for (const chat::Part& inner : part.content) out += show(inner, indent + "  ");
  return out;
}

inline std::string show(const chat::Conversation& conversation) {
  constexpr std::array<std::string_view, 3> kRoles{"system", "user", "assistant"};
  constexpr std::array<std::string_view, 5> kChoices{"", "auto", "none", "required", "one"};
  constexpr std::array<std::string_view, 3> kFormats{"", "json_object", "json_schema"};
  std::string out = "model" + member("", conversation.model);
  if (conversation.stream) out += " stream";
  out += member("max_output_tokens", conversation.max_output_tokens);
  out += member("temperature", conversation.temperature) + member("top_p", conversation.top_p);
  out += member("top_k", conversation.top_k) + member("user", conversation.user);
  out += member("service_tier", conversation.service_tier);
  out += member("effort", conversation.reasoning.effort);
  out += member("budget", conversation.reasoning.budget);
  out += member("summary", conversation.reasoning.summary);
  if (conversation.reasoning.adaptive) out += " adaptive";
  out += member("format", kFormats[static_cast<size_t>(conversation.format.kind)]);
  out += member("schema", conversation.format.schema);
  for (const std::string& stop : conversation.stop) out += member("stop", stop);
  out += '\n';
  for (const chat::Message& message : conversation.messages) {
    out += std::string(kRoles[static_cast<size_t>(message.role)]) + member("name", message.name);
    out += '\n';
    for (const chat::Part& part : message.parts) out += show(part, "  ");
  }
  for (const chat::Tool& tool : conversation.tools) {
    out += "tool" + member("name", tool.name) + member("description", tool.description);
    out += member("parameters", tool.parameters) + member("strict", tool.strict);
    out += member("cache_control", tool.cache_control) + member("json", tool.json) + '\n';
  }
  out += "tool_choice" + member("", kChoices[static_cast<size_t>(conversation.tool_choice.kind)]);
  out += member("name", conversation.tool_choice.name);
  out += member("parallel", conversation.parallel_tool_calls) + '\n';
  for (const std::string& name : conversation.unmapped) out += "unmapped " + name + '\n';
  return out;
}

// A body as written for a target, and what was left out of it.
inline std::string show(const Result<chat::Translated>& translated) {
  if (!translated) {
    return fmt::format("{}: {}\n", translated.error().param(), translated.error().message());
  }
  std::string out = translated->body + '\n';
  for (const std::string& name : translated->dropped) out += "dropped " + name + '\n';
  return out;
}

inline std::string_view show(chat::Finish finish) {
  constexpr std::array<std::string_view, 5> kNames{"unknown", "stop", "length", "tool_calls",
                                                   "content_filter"};
  return kNames[static_cast<size_t>(finish)];
}

inline std::string show(const chat::Answer& answer) {
  std::string out = "answer" + member("id", answer.id) + member("model", answer.model) + '\n';
  for (const chat::Part& part : answer.parts) out += show(part, "  ");
  out += fmt::format("finish {}{}{}\nusage {}\n", show(answer.finish),
                     member("native", answer.native_finish),
                     member("stop_sequence", answer.stop_sequence), show(answer.usage));
  return out;
}

inline std::string show(const chat::AnswerEvent& event) {
  constexpr std::array<std::string_view, 10> kKinds{
      "start",    "text",      "refusal",   "thinking", "signature",
      "redacted", "tool_call", "arguments", "finish",   "usage"};
  if (event.kind == chat::AnswerEvent::Kind::End) return "end\n";
  std::string out(kKinds[static_cast<size_t>(event.kind)]);
  if (event.kind == chat::AnswerEvent::Kind::Finish) out += " " + std::string(show(event.finish));
  out += member("id", event.id) + member("name", event.name) + member("text", event.text);
  if (event.usage) out += " " + show(event.usage);
  return out + '\n';
}

}  // namespace sluice::golden
