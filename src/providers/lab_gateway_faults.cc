// Faults of a gateway that stands in front of a provider, in its own words: not the provider's.
#include "providers/lab_faults.h"

namespace sluice::providers {
namespace {

using Numbers = std::array<int64_t, 2>;
using Plan = LabPlan;

constexpr std::string_view kGroup = "Of a gateway in front of a provider";

constexpr std::string_view kFailure = R"({"status":"failure","message":"Something went wrong"})";
constexpr std::string_view kBudget =
    R"({"status":"failure","message":"Portkey Error: Budget exhausted for this API key."})";
constexpr std::string_view kRateLimit =
    R"({"status":"failure","message":"Portkey Error: Rate limit exceeded for this API key."})";
constexpr std::string_view kGuardrail =
    R"({"error":{"message":"The guardrail checks defined in the config failed.",)"
    R"("type":"hooks_failed","param":null,"code":null},"hook_results":{"before_request_hooks":)"
    R"([{"verdict":false,"id":"lab","deny":true}],"after_request_hooks":[]}})";
constexpr std::string_view kHookResults =
    R"("hook_results":{"before_request_hooks":[{"verdict":false,"id":"lab","deny":false}],)"
    R"("after_request_hooks":[]},)";
constexpr std::string_view kChoiceError =
    R"({"id":"gen-lab","object":"chat.completion","created":1795420800,"model":"lab/chat",)"
    R"("provider":"Lab","choices":[{"index":0,"message":{"role":"assistant","content":""},)"
    R"("finish_reason":"error","native_finish_reason":"error","error":{"code":502,"message":)"
    R"("Provider returned error","metadata":{"error_type":"provider_unavailable"}}}]})";

void speak(Plan& plan, int status, std::string_view body, std::string_view headers = "") {
  plan.opening = Plan::Opening::Error;
  plan.error = LabError();
  plan.error.status = status;
  plan.error.body = body;
  plan.error.headers = headers;
}

constexpr LabFault kRows[] = {
    {"portkey-down-S", kGroup, "Portkey itself fails with status S and says nothing of a provider",
     [](Plan& p, Numbers n) { speak(p, static_cast<int>(n[0]), kFailure); }},
    {"portkey-failure", kGroup, "500 with `x-portkey-gateway-exception`",
     [](Plan& p, Numbers) { speak(p, 500, kFailure, "x-portkey-gateway-exception: true\r\n"); }},
    {"portkey-budget", kGroup, "412: the budget of the Portkey key is exhausted",
     [](Plan& p, Numbers) { speak(p, 412, kBudget); }},
    {"portkey-rate-limit", kGroup, "429 of Portkey's own",
     [](Plan& p, Numbers) { speak(p, 429, kRateLimit); }},
    {"portkey-guardrail", kGroup, "446: a guardrail of Portkey's denied the request",
     [](Plan& p, Numbers) { speak(p, 446, kGuardrail); }},
    {"portkey-246", kGroup, "a good reply with status 246: a guardrail failed and let it pass",
     [](Plan& p, Numbers) {
       p.good_status = 246;
       p.first_members = kHookResults;
     }},
    {"openrouter-choice-error", kGroup,
     "200 whose one choice holds an error, as OpenRouter sends it",
     [](Plan& p, Numbers) {
       p.opening = Plan::Opening::Body;
       p.literal = kChoiceError;
     }},
};

}  // namespace

std::span<const LabFault> lab_gateway_faults() {
  return kRows;
}

}  // namespace sluice::providers
