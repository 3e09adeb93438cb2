#include "providers/lab_openrouter_face.h"

#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_openai_read.h"
#include "providers/lab_openrouter_encoder.h"
#include "providers/lab_openrouter_request.h"
#include "providers/lab_options.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kKeyPage =
    R"({"data":{"label":"sk-or-...lab","limit":100,"limit_reset":null,"limit_remaining":74.25,)"
    R"("include_byok_in_limit":false,"usage":25.75,"usage_daily":1.5,"usage_weekly":5,)"
    R"("usage_monthly":25.75,"byok_usage":0,"is_free_tier":false}})"
    "\n";
constexpr std::string_view kCreditsPage = R"({"data":{"total_credits":100.5,"total_usage":25.75}})"
                                          "\n";

LabPage page_of(const LabError& error) {
  LabPage page;
  page.status = error.status;
  page.body = lab_openrouter_error_body(error, "");
  return page;
}

LabError error_of(int status, std::string message) {
  LabError error;
  error.status = status;
  error.message = std::move(message);
  return error;
}

}  // namespace

std::optional<LabError> lab_openrouter_check_head(const net::RequestHead& head,
                                                  LabRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = head.headers.find("authorization").value_or("");
  if (!authorization.starts_with(kBearer)) return error_of(401, "No auth credentials found");
  request.credential = authorization.substr(kBearer.size());
  const bool known =
      request.credential.starts_with("sk-or-") && !request.credential.starts_with("sk-or-invalid");
  return known ? std::nullopt : std::optional(error_of(401, "User not found."));
}

void lab_openrouter_route(LabFields& fields, LabRequest& request) {
  if (!request.model.empty()) return;
  const auto models = fields.array("models");
  std::string_view first;
  if (models && models->size() > 0 && models->at(0).get(first) == simdjson::SUCCESS)
    request.model = first;
}

void lab_openrouter_read(LabFields& fields, LabRequest& request) {
  read_lab_openrouter_extras(fields, request);
  lab_openai_read(fields, request);
  request.include_usage = true;  // always there
}

void lab_openrouter_read_messages(LabFields& fields, LabRequest& request) {
  read_lab_openrouter_routing(fields, request);
  request.api_version = kLabAnthropicVersion;
  lab_anthropic_read(fields, request);
}

void lab_openrouter_habits(const LabRequest& request, LabPlan& plan) {
  if (plan.cost == LabPlan::Cost::None) plan.cost = LabPlan::Cost::Real;
  plan.pings_first = plan.pings_first || request.stream;
}

LabError lab_openrouter_no_model(std::string_view model, std::string_view hint) {
  LabError error = error_of(400, fmt::format("{} is not a valid model ID ({})", model, hint));
  error.code = "model_not_found";
  return error;
}

LabError lab_openrouter_too_long(const LabRequest&, const LabModel& model, int64_t tokens) {
  LabError error = error_of(
      400,
      fmt::format("This endpoint's maximum context length is {} tokens. However, you requested "
                  "about {} tokens.",
                  model.context, tokens));
  error.code = "context_length_exceeded";
  return error;
}

std::string lab_openrouter_headers(const LabReplyFacts& facts) {
  if (facts.request.reply_id.empty()) return "";
  return fmt::format("X-Generation-Id: {}\r\n", lab_openrouter_id(facts.request.reply_id));
}

std::unique_ptr<LabEncoder> lab_openrouter_encoder(const LabRequest& request,
                                                   LabCompletion completion, const LabPlan& plan,
                                                   LabPrice price) {
  if (request.has_blocks()) return lab_openai_encoder(request, std::move(completion), plan, price);
  return std::make_unique<LabOpenRouterEncoder>(request, std::move(completion), plan, price);
}

void lab_openrouter_last_word(const LabRequest& request, LabError& error) {
  if (error.status != 429 || !error.body.empty()) return;
  error.headers +=
      fmt::format("X-RateLimit-Limit: 20\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: {}\r\n",
                  (request.arrival.wall_seconds + 60) * 1'000);
}

std::optional<LabPage> lab_openrouter_page(std::string_view rest, LabRequest& request) {
  LabPage page;
  if (rest == "/models") {
    page.body = lab_openrouter_models_body(request.arrival.head->target,
                                           request.arrival.options->price_factor);
    return page;
  }
  if (rest != "/key" && rest != "/credits") return std::nullopt;
  if (const auto error = lab_openrouter_check_head(*request.arrival.head, request))
    return page_of(*error);
  if (rest == "/credits" && !request.credential.starts_with("sk-or-management"))
    return page_of(error_of(403, "Only management keys can fetch credits for an account"));
  page.body = rest == "/key" ? kKeyPage : kCreditsPage;
  return page;
}

}  // namespace sluice::providers
