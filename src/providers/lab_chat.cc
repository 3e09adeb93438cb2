#include "providers/lab_chat.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;
using Form = LabPlan::UsageForm;

constexpr size_t kOversizedEvent = 20U << 20U;

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

LabEncoder::LabEncoder(const LabRequest& request, LabCompletion completion, const LabPlan& plan,
                       LabPrice price)
    : chat_(request.endpoint == chat::Endpoint::Chat),
      include_usage_(request.include_usage),
      model_(request.model),
      completion_(std::move(completion)),
      plan_(plan),
      price_(price) {}

void LabEncoder::append_prefix(std::string& out, std::string_view object) const {
  out += R"({"id":")";
  out += completion_.id;
  out += R"(","object":")";
  out += object;
  out += R"(","created":)";
  append_int(out, kLabCreated);
  out += R"(,"model":)";
  append_json(out, model_);
  out +=
      chat_ ? R"(,"service_tier":"default","system_fingerprint":")" : R"(,"system_fingerprint":")";
  out += kLabFingerprint;
  out += R"(",)";
}

void LabEncoder::append_count(std::string& out, int64_t count) const {
  switch (plan_.usage) {
    case Form::Zero:
      count = 0;
      break;
    case Form::Negative:
      count = -1 - count;
      break;
    case Form::Huge:
      count = 1'000'000'000'000'000'000;
      break;
    case Form::Text:
      out += fmt::format(R"("{}")", count);
      return;
    default:
      break;
  }
  append_int(out, count);
}

void LabEncoder::append_cost(std::string& out, const LabUsage& usage) const {
  using Cost = LabPlan::Cost;
  const auto dollars = [&](std::string& to) { append_decimal(to, lab_cost(usage, price_), 9); };
  switch (plan_.cost) {
    case Cost::None:
      return;
    case Cost::Real:
      out += R"(,"cost":)";
      dollars(out);
      return;
    case Cost::Zero:
      out += R"(,"cost":0)";
      return;
    case Cost::Null:
      out += R"(,"cost":null)";
      return;
    case Cost::Negative:
      out += R"(,"cost":-0.5)";
      return;
    case Cost::True:
      out += R"(,"cost":true)";
      return;
    case Cost::OwnKey:
      out += R"(,"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":)";
      dollars(out);
      out += "}";
      return;
  }
}

void LabEncoder::append_usage(std::string& out, const LabUsage& usage) const {
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
  append_cost(out, usage);
  out += '}';
}

void LabEncoder::append_message(std::string& out, const LabChoice& choice) const {
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

std::string LabEncoder::buffered() const {
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
    out += fmt::format(R"("logprobs":null,"finish_reason":"{}"}})", choice.finish_reason);
  }
  out += ']';
  if (plan_.usage != Form::Absent) {
    out += R"(,"usage":)";
    append_usage(out, completion_.usage);
  }
  out += "}";
  return out;
}

void LabEncoder::append_call_delta(std::string& out, const LabStep& step) const {
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
  append_json(out, std::string_view(call.arguments).substr(step.begin, step.length));
  out += "}}]";
}

void LabEncoder::append_delta(std::string& out, const LabStep& step) const {
  const LabChoice& choice = completion_.choices[step.choice];
  switch (step.kind) {
    case Kind::Role:
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
      append_json(out, std::string_view(choice.text).substr(step.begin, step.length));
      return;
    default:
      return;
  }
}

void LabEncoder::append_choice(std::string& out, const LabStep& step) const {
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
    append_json(out, text ? std::string_view(choice.text).substr(step.begin, step.length) : "");
  }
  out += R"(,"logprobs":null,"finish_reason":)";
  if (step.kind == Kind::Finish) {
    out += '"';
    out += choice.finish_reason;
    out += '"';
  } else {
    out += "null";
  }
  out += "}]";
}

// Behind the choices of an ordinary chunk: null for those who asked, as the real provider does it,
// or what the plan wants there.
void LabEncoder::append_chunk_usage(std::string& out, const LabStep& step) const {
  if (step.with_usage) {
    LabUsage so_far = completion_.usage;
    if (plan_.usage == Form::Cumulative) {
      so_far.completion = std::min(so_far.completion, so_far.reasoning + sent_tokens_);
    }
    out += R"(,"usage":)";
    append_usage(out, so_far);
  } else if (include_usage_ && plan_.usage != Form::Absent) {
    out += R"(,"usage":null)";
  }
}

std::string LabEncoder::chunk(const LabStep& step) {
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
      out.append(kOversizedEvent, 'x');
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

void LabEncoder::append_framed(std::string& out, std::string_view data,
                               std::string_view event) const {
  const std::string_view end = plan_.line_end;
  const std::string_view field = plan_.no_space ? "data:" : "data: ";
  const auto line = [&](std::string_view name, std::string_view text) {
    out += name;
    out += text;
    out += end;
  };
  if (plan_.comments) {
    line(": ", "lab keeps the line open");
    out += end;
  }
  if (!event.empty()) line("event: ", event);
  if (plan_.other_fields) {
    if (event.empty()) line("event: ", "message");
    line("id: ", "7");
    line("retry: ", "3000");
    line("colour: ", "green");
  }
  if (plan_.two_lines && data.starts_with('{')) {
    line(field, "{");
    data.remove_prefix(1);
  }
  line(field, data);
  out += end;
}

void LabEncoder::append_event(std::string& out, const LabStep& step) {
  if (plan_.bom && !begun_) out += "\xEF\xBB\xBF";
  begun_ = true;
  switch (step.kind) {
    case Kind::Done:
      return append_framed(out, "[DONE]", "");
    case Kind::Comment:
      out += ": OPENROUTER PROCESSING";
      out += plan_.line_end;
      out += plan_.line_end;
      return;
    case Kind::HalfText: {
      LabStep text = step;
      text.kind = Kind::Text;
      std::string whole;
      append_framed(whole, chunk(text), "");
      out += std::string_view(whole).substr(0, whole.size() / 2);
      return;
    }
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
