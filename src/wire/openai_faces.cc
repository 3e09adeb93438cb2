// What the gateway itself says in this dialect: errors, model lists, estimates.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "wire/json.h"
#include "wire/openai.h"

namespace sluice::openai {
namespace {

void append_quoted_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    json::append_quoted(out, text);
  }
}

void append_error(std::string& out, const ErrorParts& parts) {
  out += R"({"error":{"message":)";
  json::append_quoted(out, parts.message);
  out += R"(,"type":)";
  json::append_quoted(out, parts.type);
  out += R"(,"param":)";
  append_quoted_or_null(out, parts.param);
  out += R"(,"code":)";
  append_quoted_or_null(out, parts.code);
  out += "}}";
}

ErrorParts parts_of(const Error& error) {
  return {.message = error.message(),
          .type = error_type_of(error.outcome()),
          .param = error.param(),
          .code = error_code_of(error.outcome())};
}

void append_model(std::string& out, const Model& model) {
  out += R"({"id":)";
  json::append_quoted(out, model.id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"model","created":{},"owned_by":)",
                 model.created);
  json::append_quoted(out, model.owned_by);
  out += '}';
}

bool has_word(std::string_view code, std::string_view type, std::string_view word) {
  return code.find(word) != std::string_view::npos || type.find(word) != std::string_view::npos;
}

}  // namespace

std::string_view error_type_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::BadRequest:
    case Outcome::NotFound:
    case Outcome::ModelNotFound:
    case Outcome::MethodNotAllowed:
    case Outcome::TooLarge:
    case Outcome::HeadTooLarge:
    case Outcome::UpstreamRejected:
    case Outcome::Unsupported:
    case Outcome::ContextOverflow:
    case Outcome::ContentPolicy:
      return "invalid_request_error";
    case Outcome::Unauthorized:
      return "authentication_error";
    case Outcome::Forbidden:
      return "permission_error";
    case Outcome::RateLimited:
    case Outcome::UpstreamRateLimit:
      return "rate_limit_error";
    case Outcome::BudgetExceeded:
      return "insufficient_quota";
    case Outcome::RequestTimeout:
    case Outcome::ConnectTimeout:
    case Outcome::FirstByteTimeout:
    case Outcome::IdleTimeout:
    case Outcome::TotalTimeout:
      return "timeout_error";
    case Outcome::Overloaded:
    case Outcome::Draining:
    case Outcome::PoolTimeout:
    case Outcome::UpstreamOverloaded:
      return "service_unavailable";
    default:
      return "api_error";
  }
}

std::string_view error_code_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Ok:
    case Outcome::BadRequest:
      return "";
    case Outcome::Unauthorized:
      return "invalid_api_key";
    case Outcome::RateLimited:
    case Outcome::UpstreamRateLimit:
      return "rate_limit_exceeded";
    case Outcome::ContextOverflow:
      return "context_length_exceeded";
    case Outcome::ContentPolicy:
      return "content_policy_violation";
    case Outcome::Overloaded:
      return "overloaded";
    default:
      return name_of(outcome);
  }
}

std::string encode_error(const ErrorParts& parts) {
  std::string out;
  append_error(out, parts);
  return out;
}

std::string encode_error(const Error& error) {
  return encode_error(parts_of(error));
}

std::string encode_error_event(const ErrorParts& parts) {
  std::string out = "data: ";
  append_error(out, parts);
  out += "\n\n";
  return out;
}

std::string encode_error_event(const Error& error) {
  return encode_error_event(parts_of(error));
}

Outcome outcome_of_error(std::string_view code, std::string_view type) {
  int status = 0;
  const auto [stop, error] = std::from_chars(code.data(), code.data() + code.size(), status);
  if (error != std::errc() || stop != code.data() + code.size()) status = 0;
  const auto says = [&](std::string_view word) { return has_word(code, type, word); };
  if (status == 429 || says("rate_limit") || says("insufficient_quota")) {
    return Outcome::UpstreamRateLimit;
  }
  if (status == 401 || status == 402 || status == 403 || says("authentication") ||
      says("permission") || says("invalid_api_key") || says("payment_required")) {
    return Outcome::UpstreamAuth;
  }
  if (status == 503 || status == 529 || says("overloaded") || says("service_unavailable") ||
      says("slow_down")) {
    return Outcome::UpstreamOverloaded;
  }
  // 408 is the upstream's own time-out, not a fault of the request.
  const bool client_status = status >= 400 && status < 500 && status != 408;
  if (client_status || says("invalid_request") || says("context_length_exceeded") ||
      says("content_policy") || says("invalid_prompt")) {
    return Outcome::UpstreamRejected;
  }
  return Outcome::UpstreamError;
}

std::string encode_models(std::span<const Model> models) {
  std::string out = R"({"object":"list","data":[)";
  for (size_t i = 0; i < models.size(); ++i) {
    if (i != 0) out += ',';
    append_model(out, models[i]);
  }
  out += "]}";
  return out;
}

std::string encode_model(const Model& model) {
  std::string out;
  append_model(out, model);
  return out;
}

}  // namespace sluice::openai
