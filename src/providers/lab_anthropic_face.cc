#include "providers/lab_anthropic_face.h"

#include <algorithm>
#include <charconv>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_anthropic_encoder.h"

namespace sluice::providers {
namespace {

struct Known {
  int status;
  std::string_view type;
  std::string_view message;
};
constexpr Known kKnown[] = {
    {400, "invalid_request_error", "The lab was asked to refuse this request."},
    {401, "authentication_error", "invalid x-api-key"},
    {402, "billing_error", "Your account has an issue with billing."},
    {403, "permission_error", "Your API key does not have permission to use this resource."},
    {404, "not_found_error", "Not found"},
    {405, "invalid_request_error", "Method Not Allowed"},
    {408, "timeout_error", "Request timed out."},
    {409, "conflict_error", "Conflict"},
    {413, "request_too_large", "Request exceeds the maximum size"},
    {422, "invalid_request_error", "The request could not be processed."},
    {429, "rate_limit_error", "This request would exceed your account's rate limit."},
    {500, "api_error", "Internal server error"},
    {502, "api_error", "Bad gateway"},
    {503, "api_error", "Service unavailable"},
    {504, "timeout_error", "Request timed out"},
    {529, "overloaded_error", "Overloaded"},
};

// Errors that faults ask for by what they are.
struct Case {
  std::string_view code;  // OpenAI's
  int status;
  std::string_view message;
};
constexpr Case kCases[] = {
    {"insufficient_quota", 400,
     "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to "
     "upgrade or purchase credits."},
    {"context_length_exceeded", 400, "prompt is too long: 215000 tokens > 200000 maximum"},
    {"content_policy_violation", 400, "Output blocked by content filtering policy"},
    {"invalid_type", 400, "messages: Input should be a valid list"},
};

const Known* known(int status) {
  const auto* const found = std::ranges::find(kKnown, status, &Known::status);
  return found == std::end(kKnown) ? nullptr : found;
}

LabError refusal(int status, std::string message) {
  LabError error;
  error.status = status;
  error.message = std::move(message);
  return error;
}

std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=') {
      return one.substr(name.size() + 1);
    }
  }
  return "";
}

void append_id(std::string& out, const LabModel* model) {
  out += model == nullptr ? "null" : fmt::format(R"("lab/{}")", model->name);
}

}  // namespace

std::string_view lab_anthropic_error_type(int status) {
  const Known* const found = known(status);
  if (found != nullptr) return found->type;
  return status >= 500 ? "api_error" : "invalid_request_error";
}

std::optional<LabError> lab_anthropic_check_head(const net::RequestHead& head,
                                                 LabRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto key = head.headers.find("x-api-key");
  const std::string_view authorization = head.headers.find("authorization").value_or("");
  if (key) {
    request.credential = *key;
    if (key->starts_with("invalid")) return refusal(401, "invalid x-api-key");
  } else if (authorization.starts_with(kBearer)) {
    request.credential = authorization.substr(kBearer.size());
    if (request.credential.starts_with("invalid")) return refusal(401, "Invalid bearer token");
  }
  if (request.credential.empty()) return refusal(401, "x-api-key header is required");
  const auto version = head.headers.find("anthropic-version");
  if (!version) return refusal(400, "anthropic-version: header is required");
  if (*version != kLabAnthropicVersion && *version != "2026-10-21") {
    return refusal(400, fmt::format("anthropic-version: \"{}\" is not a valid version", *version));
  }
  request.api_version = *version;
  return std::nullopt;
}

LabError lab_anthropic_no_model(std::string_view model, std::string_view) {
  return refusal(404, fmt::format("model: {}", model));
}

LabError lab_anthropic_too_long(const LabRequest& request, const LabModel& model, int64_t) {
  if (request.prompt_tokens > model.context) {
    return refusal(400, fmt::format("prompt is too long: {} tokens > {} maximum",
                                    request.prompt_tokens, model.context));
  }
  return refusal(400,
                 fmt::format("input length and `max_tokens` exceed context limit: {} + {} > "
                             "{}, decrease input length or `max_tokens` and try again",
                             request.prompt_tokens, request.max_tokens.value_or(0), model.context));
}

LabError lab_anthropic_reword(LabError error) {
  const auto* const found = std::ranges::find(kCases, error.code, &Case::code);
  if (found != std::end(kCases)) return refusal(found->status, std::string(found->message));
  const Known* const by_status = known(error.status);
  if (by_status != nullptr) error.message = by_status->message;
  return error;
}

std::string lab_anthropic_error_body(const LabError& error, std::string_view request_id) {
  std::string out = R"({"type":"error","error":{"type":")";
  out += lab_anthropic_error_type(error.status);
  out += R"(","message":)";
  append_json(out, error.message);
  out += R"(},"request_id":)";
  append_json(out, request_id);
  out += '}';
  return out;
}

std::string lab_anthropic_headers(const LabReplyFacts& facts) {
  const std::string reset = fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(facts.wall_seconds + 1)));
  std::string out =
      fmt::format("request-id: {}\r\nanthropic-organization-id: lab\r\n", facts.request_id);
  const auto limit = [&](std::string_view what, int64_t most, int64_t used) {
    out += fmt::format(
        "anthropic-ratelimit-{0}-limit: {1}\r\nanthropic-ratelimit-{0}-remaining: {2}\r\n"
        "anthropic-ratelimit-{0}-reset: {3}\r\n",
        what, most, most - used, reset);
  };
  limit("requests", 4'000, 1);
  limit("input-tokens", 2'000'000, facts.prompt_tokens);
  limit("output-tokens", 400'000, 0);
  limit("tokens", 2'400'000, facts.prompt_tokens);
  return out;
}

std::unique_ptr<LabEncoder> lab_anthropic_encoder(const LabRequest& request,
                                                  LabCompletion completion, const LabPlan& plan,
                                                  LabPrice price) {
  return std::make_unique<LabAnthropicEncoder>(request, std::move(completion), plan, price);
}

std::string lab_anthropic_count(int64_t tokens) {
  return fmt::format(R"({{"input_tokens":{}}})", tokens);
}

std::string lab_anthropic_model(const LabModel& model) {
  return fmt::format(R"({{"type":"model","id":"lab/{}","display_name":"Lab {}","created_at":"{}",)"
                     R"("max_input_tokens":{},"max_tokens":{},"lifecycle":"active"}})",
                     model.name, model.name, kLabCreatedText, model.context, model.most_output);
}

std::string lab_anthropic_models(std::string_view query) {
  constexpr size_t kUsualLimit = 20;
  const std::string_view wanted = parameter(query, "limit");
  size_t limit = kUsualLimit;
  std::from_chars(wanted.data(), wanted.data() + wanted.size(), limit);
  const LabModel* const after = lab_model(parameter(query, "after_id"));
  const std::span<const LabModel> all = lab_models();
  const auto begin = after == nullptr ? 0 : static_cast<size_t>(after - all.data()) + 1;
  const auto page = all.subspan(begin, std::min(limit, all.size() - begin));
  std::string out = R"({"data":[)";
  for (const LabModel& model : page) {
    if (&model != page.data()) out += ',';
    out += lab_anthropic_model(model);
  }
  out += fmt::format(R"(],"has_more":{},"first_id":)", begin + page.size() < all.size());
  append_id(out, page.empty() ? nullptr : &page.front());
  out += R"(,"last_id":)";
  append_id(out, page.empty() ? nullptr : &page.back());
  out += "}\n";
  return out;
}

}  // namespace sluice::providers
