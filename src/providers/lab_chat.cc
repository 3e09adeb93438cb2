#include "providers/lab_chat.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;
using Form = LabPlan::UsageForm;

constexpr std::string_view kErrorEvent =
    R"({"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}})";
constexpr std::string_view kRateLimitEvent =
    R"({"error":{"message":"Rate limit reached for tokens.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})";
constexpr std::string_view kOverloadedEvent =
    R"({"error":{"message":"The engine is currently overloaded.","type":"service_unavailable","param":null,"code":"overloaded"}})";
constexpr std::string_view kOpenRouterTail =
    R"("provider":"lab","error":{"code":429,"message":"Rate limit exceeded","metadata":{"error_type":"rate_limit_exceeded","provider_code":"rate_limited"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]})";

void append_call(std::string& out, const LabCall& call) {
  const std::string_view type = call.custom ? "custom" : "function";
  out += fmt::format(R"({{"id":"{}","type":"{}","{}":{{"name":"{}","{}":)", call.id, type, type,
                     call.name, call.custom ? "input" : "arguments");
  append_json(out, call.arguments);
  out += "}}";
}

}  // namespace

LabChatEncoder::LabChatEncoder(const LabRequest& request, LabCompletion completion,
                               const LabPlan& plan, LabPrice price)
    : LabEncoder(request, std::move(completion), plan, price),
      chat_(request.endpoint == chat::Endpoint::Chat),
      include_usage_(request.include_usage) {}

void LabChatEncoder::append_prefix(std::string& out, std::string_view object) const {
  out += R"({"id":")";
  out += id();
  out += R"(","object":")";
  out += object;
  out += R"(","created":)";
  append_int(out, kLabCreated);
  out += R"(,"model":)";
  append_json(out, model_);
  out += ',';
  append_origin(out);
}

void LabChatEncoder::append_origin(std::string& out) const {
  if (chat_) out += R"("service_tier":"default",)";
  out += fmt::format(R"("system_fingerprint":"{}",)", kLabFingerprint);
}

void LabChatEncoder::append_finish(std::string& out, std::optional<std::string_view> reason) const {
  out += R"("finish_reason":)";
  out += reason ? fmt::format(R"("{}")", *reason) : "null";
}

void LabChatEncoder::append_charge(std::string& out, const LabUsage& usage) const {
  append_cost(out, usage);
}

void LabChatEncoder::append_usage(std::string& out, const LabUsage& usage) const {
  if (plan_.usage == Form::Null) {
    out += "null";
    return;
  }
  out += R"({"prompt_tokens":)";
  append_count(out, usage.prompt);
  out += R"(,"completion_tokens":)";
  append_count(out, usage.completion);
  out += R"(,"total_tokens":)";
  append_count(out, usage.prompt + usage.completion);
  out += R"(,"prompt_tokens_details":{"cached_tokens":)";
  append_count(out, usage.cached);
  out += R"(,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":)";
  append_count(out, usage.reasoning);
  out += R"(,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0})";
  append_charge(out, usage);
  out += '}';
}

void LabChatEncoder::append_message(std::string& out, const LabChoice& choice) const {
  out += R"("message":{"role":"assistant","content":)";
  if (choice.calls.empty()) {
    append_json(out, choice.text);
  } else {
    out += "null";
  }
  out += R"(,"refusal":null,"annotations":[])";
  if (!choice.calls.empty()) {
    out += R"(,"tool_calls":[)";
    for (size_t i = 0; i < choice.calls.size(); ++i) {
      if (i > 0) out += ',';
      append_call(out, choice.calls[i]);
    }
    out += ']';
  }
  out += "},";
}

std::string LabChatEncoder::buffered() const {
  std::string out;
  append_prefix(out, chat_ ? "chat.completion" : "text_completion");
  out += R"("choices":[)";
  for (size_t i = 0; i < completion_.choices.size(); ++i) {
    const LabChoice& choice = completion_.choices[i];
    out += fmt::format(R"({}{{"index":{},)", i > 0 ? "," : "", i);
    if (chat_) {
      append_message(out, choice);
    } else {
      out += R"("text":)";
      append_json(out, choice.text);
      out += ',';
    }
    out += R"("logprobs":null,)";
    append_finish(out, choice.finish_reason);
    out += '}';
  }
  out += ']';
  if (plan_.usage != Form::Absent) {
    out += R"(,"usage":)";
    append_usage(out, completion_.usage);
  }
  out += "}";
  return out;
}

void LabChatEncoder::append_call_delta(std::string& out, const LabStep& step) const {
  const LabCall& call = completion_.choices[step.choice].calls[step.call];
  const bool head = step.kind == Kind::CallHead;
  out += R"("tool_calls":[{)";
  switch (plan_.tool_index) {
    case LabPlan::ToolIndex::Normal:
      out += fmt::format(R"("index":{},)", step.call);
      break;
    case LabPlan::ToolIndex::Missing:
      break;
    case LabPlan::ToolIndex::Wrong:
      out += R"("index":0,)";
      break;
    case LabPlan::ToolIndex::Null:
      out += R"("index":null,)";
      break;
  }
  const std::string_view type = call.custom ? "custom" : "function";
  if (plan_.tool_id_late ? step.last_of_call : head) out += fmt::format(R"("id":"{}",)", call.id);
  if (head) out += fmt::format(R"("type":"{}",)", type);
  out += fmt::format(R"("{}":{{)", type);
  if (plan_.tool_name_late ? step.last_of_call : head)
    out += fmt::format(R"("name":"{}",)", call.name);
  out += call.custom ? R"("input":)" : R"("arguments":)";
  append_json(out, piece_of(step));
  out += "}}]";
}

void LabChatEncoder::append_delta(std::string& out, const LabStep& step) const {
  const LabChoice& choice = completion_.choices[step.choice];
  switch (step.kind) {
    case Kind::Opening:
      out += choice.calls.empty() ? R"("role":"assistant","content":"","refusal":null)"
                                  : R"("role":"assistant","content":null,"refusal":null)";
      return;
    case Kind::EmptyDelta:
      out += R"("content":"")";
      return;
    case Kind::CallHead:
    case Kind::CallArguments:
      append_call_delta(out, step);
      return;
    case Kind::Text:
      out += R"("content":)";
      append_json(out, piece_of(step));
      return;
    default:
      return;
  }
}

void LabChatEncoder::append_choice(std::string& out, const LabStep& step) const {
  const LabChoice& choice = completion_.choices[step.choice];
  out += R"("choices":[{"index":)";
  append_int(out, step.choice);
  if (chat_) {
    out += R"(,"delta":{)";
    append_delta(out, step);
    out += '}';
  } else {
    out += R"(,"text":)";
    const bool text = step.kind == Kind::Text;
    append_json(out, text ? piece_of(step) : "");
  }
  out += R"(,"logprobs":null,)";
  append_finish(out,
                step.kind == Kind::Finish ? std::optional(choice.finish_reason) : std::nullopt);
  out += "}]";
}

// Behind the choices of an ordinary chunk: null for those who asked, as the real provider does it,
// or what the plan wants there.
void LabChatEncoder::append_chunk_usage(std::string& out, const LabStep& step) const {
  if (step.with_usage) {
    LabUsage so_far = completion_.usage;
    if (plan_.usage == Form::Cumulative) {
      so_far.completion = std::min(so_far.completion, so_far.reasoning + sent_tokens_);
    }
    out += R"(,"usage":)";
    append_usage(out, so_far);
  } else if (has_null_usage() && plan_.usage != Form::Absent) {
    out += R"(,"usage":null)";
  }
}

std::string LabChatEncoder::chunk(const LabStep& step) {
  std::string out;
  append_prefix(out, chat_ ? "chat.completion.chunk" : "text_completion");
  switch (step.kind) {
    case Kind::OpenRouterError:
      out += kOpenRouterTail;
      return out;
    case Kind::Bare:
      if (plan_.choices == LabPlan::Choices::Null) out += R"("choices":null)";
      if (plan_.choices == LabPlan::Choices::Empty) out += R"("choices":[])";
      if (plan_.choices == LabPlan::Choices::Missing) out += R"("obfuscation":"lab")";
      break;
    case Kind::PromptUsage:
    case Kind::Usage: {
      LabUsage usage = completion_.usage;
      if (step.kind == Kind::PromptUsage) usage.completion = usage.reasoning = 0;
      out += R"("choices":[],"usage":)";
      append_usage(out, usage);
      break;
    }
    case Kind::Oversized:
      out += R"("choices":[],"obfuscation":")";
      out.append(kLabOversized, 'x');
      out += '"';
      break;
    default:
      sent_tokens_ += step.tokens;
      append_choice(out, step);
      append_chunk_usage(out, step);
  }
  out += '}';
  return out;
}

void LabChatEncoder::render(std::string& out, const LabStep& step) {
  switch (step.kind) {
    case Kind::Done:
      return append_framed(out, "[DONE]", "");
    case Kind::BadJson:
      return append_framed(
          out, R"({"id":"chatcmpl-lab","choices":[{"index":0,"delta":{"content":"br)", "");
    case Kind::Error:
      return append_framed(out, kErrorEvent, "");
    case Kind::ErrorEvent:
      return append_framed(out, kErrorEvent, "error");
    case Kind::RateLimitError:
      return append_framed(out, kRateLimitEvent, "");
    case Kind::OverloadedError:
      return append_framed(out, kOverloadedEvent, "");
    default:
      return append_framed(out, chunk(step), "");
  }
}

}  // namespace sluice::providers
