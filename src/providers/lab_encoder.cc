#include "providers/lab_encoder.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::providers {

using Kind = LabStep::Kind;
using Form = LabPlan::UsageForm;

LabEncoder::LabEncoder(const LabRequest& request, LabCompletion completion, const LabPlan& plan,
                       LabPrice price)
    : model_(request.model), completion_(std::move(completion)), plan_(plan), price_(price) {}

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

std::string_view LabEncoder::piece_of(const LabStep& step) const {
  const LabChoice& choice = completion_.choices[step.choice];
  std::string_view whole = choice.text;
  if (step.part == LabStep::Part::Thinking) whole = choice.thinking;
  if (step.part == LabStep::Part::Call) whole = choice.calls[step.call].arguments;
  return whole.substr(std::min<size_t>(step.begin, whole.size()), step.length);
}

void LabEncoder::append_event(std::string& out, const LabStep& step) {
  if (plan_.bom && !begun_) out += "\xEF\xBB\xBF";
  begun_ = true;
  if (step.kind == Kind::Comment) {
    out += ": OPENROUTER PROCESSING";
    out += plan_.line_end;
    out += plan_.line_end;
  } else if (step.kind == Kind::HalfText) {
    LabStep whole_step = step;
    whole_step.kind = step.part == LabStep::Part::Call       ? Kind::CallArguments
                      : step.part == LabStep::Part::Thinking ? Kind::Thinking
                                                             : Kind::Text;
    std::string whole;
    render(whole, whole_step);
    out += std::string_view(whole).substr(0, whole.size() / 2);
  } else {
    render(out, step);
  }
}

}  // namespace sluice::providers
