#include "providers/lab_anthropic_encoder.h"

#include <algorithm>
#include <fmt/format.h>
#include <simdjson.h>

#include "base/text_out.h"
#include "providers/lab_anthropic_face.h"
#include "providers/lab_seal.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;
using Part = LabStep::Part;
using Form = LabPlan::UsageForm;

// The arguments of a call as the value of `input`. What was cut or is no JSON cannot stand there:
// it becomes a string, which is what a client of a real provider would least expect.
void append_input(std::string& out, const std::string& arguments) {
  simdjson::dom::parser parser;
  const simdjson::padded_string text(arguments);
  const bool whole = parser.parse(text).error() == simdjson::SUCCESS;
  if (whole) {
    out += arguments;
  } else {
    append_json(out, arguments);
  }
}

}  // namespace

std::string_view LabAnthropicEncoder::stop_reason() const {
  const LabChoice& choice = completion_.choices[0];
  if (!choice.stopped_by.empty()) return "stop_sequence";
  if (choice.finish_reason == "length") return "max_tokens";
  if (choice.finish_reason == "tool_calls") return "tool_use";
  return choice.finish_reason == "content_filter" ? "refusal" : "end_turn";
}

void LabAnthropicEncoder::append_head(std::string& out) const {
  out += R"("id":")" + completion_.id + R"(","type":"message","role":"assistant","model":)";
  append_json(out, model_);
  out += ',';
}

void LabAnthropicEncoder::append_stop(std::string& out) const {
  const LabChoice& choice = completion_.choices[0];
  out += R"("stop_reason":")";
  out += stop_reason();
  out += R"(","stop_sequence":)";
  if (choice.stopped_by.empty()) {
    out += "null";
  } else {
    append_json(out, choice.stopped_by);
  }
  if (choice.finish_reason == "content_filter") {
    out += R"(,"stop_details":{"type":"refusal","category":null,"explanation":"The lab was asked )"
           R"(to decline."})";
  }
}

void LabAnthropicEncoder::append_field(std::string& out, std::string_view name,
                                       int64_t count) const {
  if (!out.ends_with('{')) out += ',';
  out += fmt::format(R"("{}":)", name);
  append_count(out, count);
}

void LabAnthropicEncoder::append_usage(std::string& out, int64_t output, bool with_input) const {
  const LabUsage& usage = completion_.usage;
  const int64_t written = usage.cache_write + usage.cache_write_1h;
  out += R"("usage":)";
  if (plan_.usage == Form::Null) {
    out += "null";
    return;
  }
  out += '{';
  if (with_input) {
    append_field(out, "input_tokens", usage.prompt - usage.cached - written);
    append_field(out, "cache_creation_input_tokens", written);
    append_field(out, "cache_read_input_tokens", usage.cached);
    out += R"(,"cache_creation":{)";
    append_field(out, "ephemeral_5m_input_tokens", usage.cache_write);
    append_field(out, "ephemeral_1h_input_tokens", usage.cache_write_1h);
    out += '}';
  }
  append_field(out, "output_tokens", output);
  out += R"(,"output_tokens_details":{)";
  append_field(out, "thinking_tokens", std::min(output, usage.reasoning));
  out += '}';
  if (with_input) out += R"(,"server_tool_use":null,"service_tier":"standard")";
  append_cost(out, usage);
  out += '}';
}

void LabAnthropicEncoder::append_thinking(std::string& out) const {
  const LabChoice& choice = completion_.choices[0];
  if (plan_.redacted_thinking) {
    out += fmt::format(R"({{"type":"redacted_thinking","data":"{}"}})", lab_sealed(completion_.id));
    return;
  }
  out += R"({"type":"thinking","thinking":)";
  append_json(out, choice.thinking);
  out += fmt::format(R"(,"signature":"{}"}})", lab_signature(choice.thinking));
}

std::string LabAnthropicEncoder::buffered() const {
  const LabChoice& choice = completion_.choices[0];
  std::string out = "{";
  append_head(out);
  out += R"("content":[)";
  const auto next = [&out] { out += out.ends_with('[') ? "" : ","; };
  if (choice.has_thinking) append_thinking(out);
  if (!choice.text.empty()) {
    next();
    out += R"({"type":"text","text":)";
    append_json(out, choice.text);
    out += '}';
  }
  for (const LabCall& call : choice.calls) {
    next();
    out += fmt::format(R"({{"type":"tool_use","id":"{}","name":"{}","input":)", call.id, call.name);
    append_input(out, call.arguments);
    out += '}';
  }
  out += "],";
  append_stop(out);
  if (plan_.usage != Form::Absent) {
    out += ',';
    append_usage(out, completion_.usage.completion, true);
  }
  out += '}';
  return out;
}

void LabAnthropicEncoder::append_index(std::string& out, const LabStep& step) const {
  using Index = LabPlan::ToolIndex;
  const Index index = step.part == Part::Call ? plan_.tool_index : Index::Normal;
  if (index == Index::Missing) return;
  out += R"(,"index":)";
  if (index == Index::Null) {
    out += "null";
  } else {
    append_int(out, index == Index::Wrong ? 0 : step.block);
  }
}

void LabAnthropicEncoder::render_start(std::string& out, const LabStep& step) const {
  std::string data = R"({"type":"content_block_start")";
  append_index(data, step);
  data += R"(,"content_block":)";
  switch (step.part) {
    case Part::Thinking:
      if (plan_.redacted_thinking) {
        append_thinking(data);
      } else {
        data += R"({"type":"thinking","thinking":"","signature":""})";
      }
      break;
    case Part::Text:
      data += R"({"type":"text","text":""})";
      break;
    case Part::Call: {
      const LabCall& call = completion_.choices[0].calls[step.call];
      data += fmt::format(R"({{"type":"tool_use","id":"{}","name":"{}","input":{{}}}})", call.id,
                          call.name);
      break;
    }
  }
  data += '}';
  append_framed(out, data, "content_block_start");
  if (step.block == 0) append_framed(out, R"({"type":"ping"})", "ping");
}

void LabAnthropicEncoder::render_delta(std::string& out, const LabStep& step) const {
  struct Shape {
    std::string_view type;
    std::string_view field;
  };
  constexpr Shape kShapes[] = {{"text_delta", "text"},
                               {"input_json_delta", "partial_json"},
                               {"thinking_delta", "thinking"}};  // by Part
  const Shape& shape = kShapes[static_cast<size_t>(step.part)];
  std::string data = R"({"type":"content_block_delta")";
  append_index(data, step);
  data += fmt::format(R"(,"delta":{{"type":"{}","{}":)", shape.type, shape.field);
  append_json(data, piece_of(step));
  data += "}}";
  append_framed(out, data, "content_block_delta");
}

void LabAnthropicEncoder::render_stop(std::string& out, const LabStep& step) const {
  std::string index;
  append_index(index, step);
  if (step.part == Part::Thinking && !plan_.redacted_thinking) {
    append_framed(
        out,
        fmt::format(
            R"({{"type":"content_block_delta"{},"delta":{{"type":"signature_delta","signature":"{}"}}}})",
            index, lab_signature(completion_.choices[0].thinking)),
        "content_block_delta");
  }
  append_framed(out, fmt::format(R"({{"type":"content_block_stop"{}}})", index),
                "content_block_stop");
}

void LabAnthropicEncoder::render_message_delta(std::string& out, bool finish,
                                               bool with_usage) const {
  const int64_t unseen = completion_.usage.reasoning - completion_.shown_reasoning;
  const int64_t output = finish ? completion_.usage.completion : unseen + sent_tokens_;
  std::string data = R"({"type":"message_delta","delta":{)";
  if (finish) append_stop(data);
  data += '}';
  if (with_usage) {
    data += ',';
    append_usage(data, output, plan_.usage != Form::First);
  }
  data += '}';
  append_framed(out, data, "message_delta");
}

void LabAnthropicEncoder::render_error(std::string& out, int status) const {
  LabError error;
  error.status = status;
  append_framed(out,
                lab_anthropic_error_body(lab_anthropic_reword(std::move(error)),
                                         fmt::format("req_{}", completion_.id)),
                "error");
}

void LabAnthropicEncoder::render_opening(std::string& out) const {
  std::string data = R"({"type":"message_start","message":{)";
  append_head(data);
  data += R"("content":[],"stop_reason":null,"stop_sequence":null)";
  if (plan_.usage != Form::Absent) {
    data += ',';
    append_usage(data, std::min<int64_t>(1, completion_.usage.completion), true);
  }
  data += "}}";
  append_framed(out, data, "message_start");
}

void LabAnthropicEncoder::render(std::string& out, const LabStep& step) {
  sent_tokens_ += step.tokens;
  switch (step.kind) {
    case Kind::Opening:
      return render_opening(out);
    case Kind::BlockStart:
      return render_start(out, step);
    case Kind::BlockStop:
      return render_stop(out, step);
    case Kind::Finish:
      return render_message_delta(out, true,
                                  plan_.usage != Form::Absent && plan_.usage != Form::OnContent &&
                                      plan_.usage != Form::AfterDone);
    case Kind::Usage:
      return render_message_delta(out, false, true);
    case Kind::Done:
      return append_framed(out, R"({"type":"message_stop"})", "message_stop");
    case Kind::BadJson:
      return append_framed(out, R"({"type":"content_block_delta","index":0,"delta":{"type":"te)",
                           "content_block_delta");
    case Kind::Oversized:
      return append_framed(
          out, fmt::format(R"({{"type":"ping","lab":"{}"}})", std::string(kLabOversized, 'x')),
          "ping");
    case Kind::Error:
    case Kind::ErrorEvent:
      return render_error(out, 500);
    case Kind::RateLimitError:
    case Kind::OpenRouterError:
      return render_error(out, 429);
    case Kind::OverloadedError:
      return render_error(out, 529);
    default:
      render_delta(out, step);
      if (step.with_usage) render_message_delta(out, false, true);
  }
}

}  // namespace sluice::providers
