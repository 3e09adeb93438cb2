#include "providers/lab_snowflake_answer.h"

#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_embeddings.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;
using Form = LabPlan::UsageForm;

constexpr std::string_view kFailed =
    R"({"message":"Internal error.","code":"390500","error_code":"390500","request_id":"lab"})";
constexpr std::string_view kLimited =
    R"({"message":"Too many requests.","code":"390429","error_code":"390429","request_id":"lab"})";
constexpr std::string_view kOverloaded =
    R"({"message":"Service unavailable.","code":"390503","error_code":"390503","request_id":"lab"})";

void append_text_delta(std::string& out, std::string_view text) {
  out += R"({"type":"text","content":)";
  append_json(out, text);
  out += R"(,"content_list":[)";
  if (!text.empty()) {
    out += R"({"type":"text","text":)";
    append_json(out, text);
    out += '}';
  }
  out += R"(],"text":)";
  append_json(out, text);
  out += '}';
}

void append_tool_use(std::string& out, const LabCall& call) {
  out += R"({"type":"tool_use","tool_use":{"tool_use_id":)";
  append_json(out, call.id);
  out += R"(,"name":)";
  append_json(out, call.name);
  // An object on the wire, so whatever is no JSON can only be sent as a string.
  simdjson::dom::parser parser;
  const simdjson::padded_string arguments(call.arguments);
  out += R"(,"input":)";
  if (parser.parse(arguments).error() == simdjson::SUCCESS) {
    out += call.arguments;
  } else {
    append_json(out, call.arguments);
  }
  out += "}}";
}

}  // namespace

void LabSnowflakeEncoder::append_usage(std::string& out) const {
  const LabUsage& usage = completion_.usage;
  if (plan_.usage == Form::Null) {
    out += "null";
    return;
  }
  out += R"({"prompt_tokens":)";
  append_count(out, usage.prompt);
  out += R"(,"completion_tokens":)";
  append_count(out, usage.completion);
  out += R"(,"guard_tokens":0,"total_tokens":)";
  append_count(out, usage.prompt + usage.completion);
  out += R"(,"cache_read_input_tokens":)";
  append_count(out, usage.cached);
  out += R"(,"cache_write_input_tokens":0})";
}

std::string LabSnowflakeEncoder::buffered() const {
  const LabChoice& choice = completion_.choices[0];
  std::string out = R"({"choices":[{"message":{"content":)";
  append_json(out, choice.text);
  out += R"(,"content_list":[)";
  std::string_view comma;
  if (!choice.text.empty()) {
    out += R"({"type":"text","text":)";
    append_json(out, choice.text);
    out += '}';
    comma = ",";
  }
  for (const LabCall& call : choice.calls) {
    out += comma;
    comma = ",";
    append_tool_use(out, call);
  }
  out += "]}}]";
  if (plan_.usage != Form::Absent) {
    out += R"(,"usage":)";
    append_usage(out);
  }
  return out + '}';
}

std::string LabSnowflakeEncoder::delta_of(const LabStep& step) const {
  std::string delta;
  if (step.kind == Kind::CallHead) {
    const LabCall& call = completion_.choices[step.choice].calls[step.call];
    delta = R"({"type":"tool_use","tool_use_id":)";
    append_json(delta, call.id);
    delta += R"(,"name":)";
    append_json(delta, call.name);
    delta += '}';
  } else if (step.kind == Kind::CallArguments) {
    delta = R"({"type":"tool_use","input":)";
    append_json(delta, piece_of(step));
    delta += '}';
  } else {
    append_text_delta(delta, step.kind == Kind::Text ? piece_of(step) : "");
  }
  return delta;
}

void LabSnowflakeEncoder::append_chunk(std::string& out, std::string_view delta,
                                       bool with_usage) const {
  std::string data = R"({"id":)";
  append_json(data, completion_.id);
  data += R"(,"model":)";
  append_json(data, model_);
  data += fmt::format(R"(,"choices":[{{"delta":{}}}],"usage":)", delta);
  if (with_usage) {
    append_usage(data);
  } else {
    data += "{}";
  }
  append_framed(out, data + '}', "");
}

void LabSnowflakeEncoder::render(std::string& out, const LabStep& step) {
  switch (step.kind) {
    case Kind::Opening:
    case Kind::Finish:
    case Kind::Done:
    case Kind::Bare:
    case Kind::BlockStart:
    case Kind::BlockStop:
      return;  // not in this dialect
    case Kind::BadJson:
      return append_framed(out, R"({"id":"lab","choices":[{"delta":{"type":"te)", "");
    case Kind::Oversized:
      return append_framed(out, R"({"padding":")" + std::string(kLabOversized, 'x') + R"("})", "");
    case Kind::Error:
      return append_framed(out, kFailed, "");
    case Kind::ErrorEvent:
      return append_framed(out, kFailed, "error");
    case Kind::RateLimitError:
    case Kind::OpenRouterError:
      return append_framed(out, kLimited, "");
    case Kind::OverloadedError:
      return append_framed(out, kOverloaded, "");
    default: {
      const bool usage = step.kind == Kind::Usage || step.kind == Kind::PromptUsage;
      return append_chunk(out, delta_of(step), usage || step.with_usage);
    }
  }
}

std::string lab_snowflake_embeddings_body(const LabRequest& request, const LabModel& model,
                                          uint64_t seed) {
  std::string out = R"({"object":"list","data":[)";
  for (size_t i = 0; i < request.parts.size(); ++i) {
    out += fmt::format(
        R"({}{{"object":"embedding","index":{},"embedding":[[{}]]}})", i > 0 ? "," : "", i,
        fmt::join(lab_embedding(request.parts[i].hash ^ seed, model.dimensions), ","));
  }
  out += R"(],"model":)";
  append_json(out, request.model);
  out += fmt::format(R"(,"usage":{{"total_tokens":{}}}}})", request.prompt_tokens);
  return out;
}

}  // namespace sluice::providers
