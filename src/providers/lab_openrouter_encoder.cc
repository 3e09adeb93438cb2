#include "providers/lab_openrouter_encoder.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_openrouter_error.h"

namespace sluice::providers {
namespace {

using Kind = LabStep::Kind;

// A comment before every event of this number and its multiples.
constexpr size_t kCommentEvery = 8;

struct Native {
  std::string_view reason;
  std::string_view native;
};
constexpr std::array<Native, 3> kNative = {{
    {"stop", "completed"},
    {"length", "max_output_tokens"},
    {"tool_calls", "completed"},
}};

}  // namespace

std::string lab_openrouter_id(std::string_view completion_id) {
  return fmt::format("gen-{}", completion_id.substr(completion_id.find('-') + 1));
}

std::string lab_openrouter_provider(std::string_view model) {
  std::string provider(model.substr(0, model.find('/')));
  if (!provider.empty() && provider[0] >= 'a' && provider[0] <= 'z')
    provider[0] = static_cast<char>(provider[0] - 'a' + 'A');
  return provider;
}

std::string LabOpenRouterEncoder::id() const {
  return lab_openrouter_id(completion_.id);
}

void LabOpenRouterEncoder::append_origin(std::string& out) const {
  out += R"("provider":)";
  append_json(out, lab_openrouter_provider(model_));
  out += fmt::format(R"(,"system_fingerprint":"{}",)", kLabFingerprint);
}

void LabOpenRouterEncoder::append_finish(std::string& out,
                                         std::optional<std::string_view> reason) const {
  LabChatEncoder::append_finish(out, reason);
  const auto* const native = std::ranges::find(kNative, reason.value_or(""), &Native::reason);
  out += R"(,"native_finish_reason":)";
  out += native != kNative.end() ? fmt::format(R"("{}")", native->native) : "null";
}

void LabOpenRouterEncoder::append_charge(std::string& out, const LabUsage& usage) const {
  append_cost(out, usage);
  if (plan_.cost == LabPlan::Cost::OwnKey) return;
  LabUsage prompt = usage;
  prompt.completion = 0;
  const int64_t of_prompt = lab_cost(prompt, price_);
  out += R"(,"is_byok":false,"cost_details":{"upstream_inference_cost":null,)"
         R"("upstream_inference_prompt_cost":)";
  append_decimal(out, of_prompt, 9);
  out += R"(,"upstream_inference_completions_cost":)";
  append_decimal(out, lab_cost(usage, price_) - of_prompt, 9);
  out += '}';
}

void LabOpenRouterEncoder::append_failure(std::string& out, int status) const {
  const LabOpenRouterError& error = lab_openrouter_error(status);
  std::string data;
  append_prefix(data, "chat.completion.chunk");
  data +=
      fmt::format(R"("error":{{"code":{},"message":"{}","metadata":{{"error_type":"{}",)"
                  R"("provider_code":"lab"}}}},"choices":[{{"index":0,"delta":{{"content":""}},)"
                  R"("finish_reason":"error","native_finish_reason":"error"}}]}})",
                  status, error.message, error.type);
  append_framed(out, data, "");
}

void LabOpenRouterEncoder::render(std::string& out, const LabStep& step) {
  if (++events_ % kCommentEvery == 0)
    out += fmt::format(": OPENROUTER PROCESSING{0}{0}", plan_.line_end);
  switch (step.kind) {
    case Kind::Error:
    case Kind::ErrorEvent:
      return append_failure(out, 502);
    case Kind::RateLimitError:
    case Kind::OpenRouterError:
      return append_failure(out, 429);
    case Kind::OverloadedError:
      return append_failure(out, 503);
    default:
      return LabChatEncoder::render(out, step);
  }
}

}  // namespace sluice::providers
