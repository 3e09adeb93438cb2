#include "providers/lab_responses_encoder.h"

#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_responses.h"
#include "providers/lab_seal.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;
using Part = LabStep::Part;
using Form = LabPlan::UsageForm;

std::string json_text(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

// A part of a message, or of a summary.
std::string text_part(std::string_view text) {
  return fmt::format(R"({{"type":"output_text","text":{},"annotations":[],"logprobs":[]}})",
                     json_text(text));
}
std::string summary_part(std::string_view text) {
  return fmt::format(R"({{"type":"summary_text","text":{}}})", json_text(text));
}

}  // namespace

LabResponsesEncoder::LabResponsesEncoder(const LabRequest& request, LabCompletion completion,
                                         const LabPlan& plan, LabPrice price)
    : LabEncoder(request, std::move(completion), plan, price),
      repeated_(request.repeated),
      encrypted_(request.encrypted_reasoning),
      background_(request.background) {}

std::string_view LabResponsesEncoder::final_status() const {
  const std::string_view reason = completion_.choices[0].finish_reason;
  return reason == "length" || reason == "content_filter" ? "incomplete" : "completed";
}

std::string LabResponsesEncoder::item_id(Part part, size_t call, size_t block) const {
  std::string_view prefix = "msg";
  if (part == Part::Thinking) prefix = "rs";
  if (part == Part::Call) prefix = completion_.choices[0].calls[call].custom ? "ctc" : "fc";
  return lab_item_id(prefix, completion_.id, block);
}

std::string LabResponsesEncoder::item(Part part, size_t call, size_t block, bool done) const {
  const LabChoice& choice = completion_.choices[0];
  const std::string id = item_id(part, call, block);
  const std::string_view status = done ? final_status() : "in_progress";
  switch (part) {
    case Part::Thinking: {
      std::string out =
          fmt::format(R"({{"id":"{}","type":"reasoning","summary":[{}])", id,
                      done && !choice.thinking.empty() ? summary_part(choice.thinking) : "");
      if (encrypted_) out += fmt::format(R"(,"encrypted_content":"{}")", lab_sealed(id));
      return out + "}";
    }
    case Part::Text:
      return fmt::format(
          R"({{"id":"{}","type":"message","status":"{}","role":"assistant","content":[{}]}})", id,
          status, done ? text_part(choice.text) : "");
    case Part::Call:
      break;
  }
  const LabCall& one = choice.calls[call];
  return fmt::format(
      R"({{"id":"{}","type":"{}","status":"{}","call_id":"{}","name":"{}","{}":{}}})", id,
      one.custom ? "custom_tool_call" : "function_call", status, one.id, one.name,
      one.custom ? "input" : "arguments", json_text(done ? one.arguments : ""));
}

std::string LabResponsesEncoder::output() const {
  const LabChoice& choice = completion_.choices[0];
  std::string out;
  size_t block = 0;
  const auto add = [&](Part part, size_t call) {
    if (block > 0) out += ',';
    out += item(part, call, block++, true);
  };
  if (choice.has_thinking) add(Part::Thinking, 0);
  if (!choice.text.empty()) add(Part::Text, 0);
  for (size_t call = 0; call < choice.calls.size(); ++call) add(Part::Call, call);
  return out;
}

void LabResponsesEncoder::append_usage(std::string& out) const {
  const LabUsage& usage = completion_.usage;
  if (plan_.usage == Form::Null) {
    out += "null";
    return;
  }
  const auto count = [&](std::string_view before, int64_t value) {
    out += before;
    append_count(out, value);
  };
  count(R"({"input_tokens":)", usage.prompt);
  count(R"(,"input_tokens_details":{"cached_tokens":)", usage.cached);
  count(R"(,"cache_write_tokens":)", usage.cache_write);
  count(R"(},"output_tokens":)", usage.completion);
  count(R"(,"output_tokens_details":{"reasoning_tokens":)", usage.reasoning);
  count(R"(},"total_tokens":)", usage.prompt + usage.completion);
  append_cost(out, usage);
  out += '}';
}

std::string LabResponsesEncoder::response(std::string_view status, std::string_view error) const {
  const bool whole = status == "completed" || status == "incomplete";
  std::string out = fmt::format(
      R"({{"id":"{}","object":"response","created_at":{},"completed_at":{},"status":"{}",)"
      R"("background":{},"error":{},"incomplete_details":)",
      completion_.id, kLabCreated, whole ? std::to_string(kLabCreated) : "null", status,
      background_, error.empty() ? "null" : error);
  if (status == "incomplete") {
    const bool filtered = completion_.choices[0].finish_reason == "content_filter";
    out += fmt::format(R"({{"reason":"{}"}},)", filtered ? "content_filter" : "max_output_tokens");
  } else {
    out += "null,";
  }
  out += repeated_;
  out += R"("model":)" + json_text(model_) + R"(,"service_tier":"default","output":[)";
  if (whole) out += output();
  out += ']';
  const bool with_usage = plan_.usage != Form::Absent && plan_.usage != Form::AfterDone;
  if (with_usage) out += R"(,"usage":)";
  if (with_usage && whole) append_usage(out);
  if (with_usage && !whole) out += "null";
  return out + "}";
}

std::string LabResponsesEncoder::buffered() const {
  return response(final_status(), "");
}

void LabResponsesEncoder::event(std::string& out, std::string_view type, std::string_view members) {
  append_framed(out,
                fmt::format(R"({{"type":"{}","sequence_number":{},{}}})", type, sequence_, members),
                type);
  ++sequence_;
}

std::string LabResponsesEncoder::place(const LabStep& step) const {
  return fmt::format(R"("item_id":"{}","output_index":{})",
                     item_id(step.part, step.call, step.block), step.block);
}

void LabResponsesEncoder::render_start(std::string& out, const LabStep& step) {
  event(out, "response.output_item.added",
        fmt::format(R"("output_index":{},"item":{})", step.block,
                    item(step.part, step.call, step.block, false)));
  if (step.part == Part::Text) {
    event(out, "response.content_part.added",
          fmt::format(R"({},"content_index":0,"part":{})", place(step), text_part("")));
  } else if (step.part == Part::Thinking && !completion_.choices[0].thinking.empty()) {
    event(out, "response.reasoning_summary_part.added",
          fmt::format(R"({},"summary_index":0,"part":{})", place(step), summary_part("")));
  }
}

void LabResponsesEncoder::render_delta(std::string& out, const LabStep& step) {
  const std::string delta = json_text(piece_of(step));
  switch (step.part) {
    case Part::Text:
      return event(
          out, "response.output_text.delta",
          fmt::format(R"({},"content_index":0,"delta":{},"logprobs":[])", place(step), delta));
    case Part::Thinking:
      return event(out, "response.reasoning_summary_text.delta",
                   fmt::format(R"({},"summary_index":0,"delta":{})", place(step), delta));
    case Part::Call:
      break;
  }
  const bool custom = completion_.choices[0].calls[step.call].custom;
  event(out,
        custom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta",
        fmt::format(R"({},"delta":{})", place(step), delta));
}

void LabResponsesEncoder::render_stop(std::string& out, const LabStep& step) {
  const LabChoice& choice = completion_.choices[0];
  const std::string where = place(step);
  if (step.part == Part::Text) {
    event(out, "response.output_text.done",
          fmt::format(R"({},"content_index":0,"text":{},"logprobs":[])", where,
                      json_text(choice.text)));
    event(out, "response.content_part.done",
          fmt::format(R"({},"content_index":0,"part":{})", where, text_part(choice.text)));
  } else if (step.part == Part::Call) {
    const LabCall& call = choice.calls[step.call];
    const std::string arguments = json_text(call.arguments);
    if (call.custom) {
      event(out, "response.custom_tool_call_input.done",
            fmt::format(R"({},"input":{})", where, arguments));
    } else {
      event(out, "response.function_call_arguments.done",
            fmt::format(R"({},"name":"{}","arguments":{})", where, call.name, arguments));
    }
  } else if (!choice.thinking.empty()) {
    event(out, "response.reasoning_summary_text.done",
          fmt::format(R"({},"summary_index":0,"text":{})", where, json_text(choice.thinking)));
    event(out, "response.reasoning_summary_part.done",
          fmt::format(R"({},"summary_index":0,"part":{})", where, summary_part(choice.thinking)));
  }
  event(out, "response.output_item.done",
        fmt::format(R"("output_index":{},"item":{})", step.block,
                    item(step.part, step.call, step.block, true)));
}

void LabResponsesEncoder::render_failed(std::string& out, std::string_view code,
                                        std::string_view message) {
  const std::string error =
      fmt::format(R"({{"code":"{}","message":{}}})", code, json_text(message));
  event(out, "response.failed", R"("response":)" + response("failed", error));
}

void LabResponsesEncoder::render_error(std::string& out, std::string_view code,
                                       std::string_view message) {
  event(out, "error",
        fmt::format(R"("code":"{}","message":{},"param":null)", code, json_text(message)));
}

void LabResponsesEncoder::render(std::string& out, const LabStep& step) {
  constexpr std::string_view kServer = "The server had an error while processing your request.";
  switch (step.kind) {
    case Kind::Opening:
      event(out, "response.created", R"("response":)" + response("in_progress", ""));
      return event(out, "response.in_progress", R"("response":)" + response("in_progress", ""));
    case Kind::BlockStart:
      return render_start(out, step);
    case Kind::BlockStop:
      return render_stop(out, step);
    case Kind::Finish:
      return event(out, fmt::format("response.{}", final_status()),
                   R"("response":)" + response(final_status(), ""));
    case Kind::CallHead:
    case Kind::Usage:
    case Kind::Done:
      return;  // this dialect has no such event
    case Kind::BadJson:
      return append_framed(out, R"({"type":"response.output_text.delta","sequence_number":7,"de)",
                           "response.output_text.delta");
    case Kind::Oversized:
      return event(out, "response.lab_padding",
                   fmt::format(R"("obfuscation":"{}")", std::string(kLabOversized, 'x')));
    case Kind::Error:
      return render_failed(out, "server_error", kServer);
    case Kind::RateLimitError:
    case Kind::OpenRouterError:
      return render_failed(out, "rate_limit_exceeded", "Rate limit reached for tokens.");
    case Kind::ErrorEvent:
      return render_error(out, "server_error", kServer);
    case Kind::OverloadedError:
      return render_error(out, "overloaded", "The engine is currently overloaded.");
    default:
      return render_delta(out, step);
  }
}

}  // namespace sluice::providers
