#include "providers/lab_error.h"

#include <algorithm>
#include <array>

namespace sluice::providers {
namespace {

struct Known {
  int status;
  std::string_view type;
  std::string_view code;
  std::string_view message;
};
constexpr std::array<Known, 13> kKnown = {{
    {400, "invalid_request_error", "invalid_value", "The lab was asked to refuse this request."},
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
    {402, "invalid_request_error", "payment_required", "This account is out of credits."},
    {403, "request_forbidden", "unsupported_country_region_territory",
     "Country, region, or territory not supported."},
    {404, "invalid_request_error", "model_not_found",
     "The model does not exist or you do not have access to it."},
    {408, "timeout_error", "", "Request timed out."},
    {413, "invalid_request_error", "request_too_large", "The request body is too large."},
    {422, "invalid_request_error", "unprocessable_entity", "The request could not be processed."},
    {429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."},
    {500, "server_error", "", "The server had an error while processing your request."},
    {502, "server_error", "", "Bad gateway."},
    {503, "service_unavailable", "overloaded", "The engine is currently overloaded."},
    {529, "overloaded_error", "overloaded", "Overloaded."},
}};

}  // namespace

LabError lab_error_of_status(int status) {
  LabError error;
  error.status = status;
  const auto* const known = std::ranges::find(kKnown, status, &Known::status);
  if (known != kKnown.end()) {
    error.type = known->type;
    error.code = known->code;
    error.message = known->message;
  } else {
    error.type = status >= 500 ? "server_error" : "invalid_request_error";
    error.message = "The lab was asked for status " + std::to_string(status) + ".";
  }
  if (status == 404) error.param = "model";
  return error;
}

}  // namespace sluice::providers
