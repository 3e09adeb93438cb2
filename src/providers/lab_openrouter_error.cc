#include "providers/lab_openrouter_error.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

constexpr std::array<LabOpenRouterError, 13> kErrors = {{
    {400, "invalid_request", "Invalid request."},
    {401, "authentication", "User not found."},
    {402, "payment_required", "Insufficient credits. Add more using the account's settings."},
    {403, "permission_denied", "Access denied by a policy of this account."},
    {404, "not_found", "No endpoints found that serve this request."},
    {408, "timeout", "Request timed out."},
    {413, "payload_too_large", "Request is too large."},
    {422, "unprocessable", "The request could not be processed."},
    {429, "rate_limit_exceeded", "Rate limit exceeded"},
    {500, "server", "Internal Server Error"},
    {502, "provider_unavailable", "Provider returned error"},
    {503, "provider_overloaded", "Provider is overloaded"},
    {504, "timeout", "Provider timed out"},
}};

// OpenAI's codes that have a type of their own here.
struct Typed {
  std::string_view code;
  std::string_view type;
};
constexpr std::array<Typed, 2> kTyped = {{
    {"context_length_exceeded", "context_length_exceeded"},
    {"content_policy_violation", "content_policy_violation"},
}};

}  // namespace

const LabOpenRouterError& lab_openrouter_error(int status) {
  const auto* found = std::ranges::find(kErrors, status, &LabOpenRouterError::status);
  if (found == kErrors.end()) found = std::ranges::find(kErrors, 500, &LabOpenRouterError::status);
  return *found;
}

LabError lab_openrouter_reword(LabError error) {
  // A spending cap is a matter of credits here.
  if (error.code == "insufficient_quota") error.status = 402;
  if (error.status == 529) error.status = 503;
  const bool typed = std::ranges::find(kTyped, error.code, &Typed::code) != kTyped.end();
  if (!typed && error.status != 400) error.message = lab_openrouter_error(error.status).message;
  return error;
}

std::string lab_openrouter_error_body(const LabError& error, std::string_view) {
  const auto* const typed = std::ranges::find(kTyped, error.code, &Typed::code);
  const std::string_view type =
      typed != kTyped.end() ? typed->type : lab_openrouter_error(error.status).type;
  std::string body = fmt::format(R"({{"error":{{"code":{},"message":)", error.status);
  append_json(body, error.message);
  body += fmt::format(R"(,"metadata":{{"error_type":"{}"}}}})", type);
  if (error.code == "model_not_found")
    body.insert(body.size() - 1, R"(,"availability":{"code":"model_not_found","retryable":false})");
  return body + R"(,"user_id":"user_lab"})";
}

}  // namespace sluice::providers
