// What the gateway itself says in this dialect: errors, model lists, counts.
#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/text_out.h"
#include "wire/anthropic.h"
#include "wire/json.h"

namespace sluice::anthropic {
namespace {

// Fewer tokens are no context window, but part of a model's name or a count of messages.
constexpr int64_t kSmallestWindow = 512;

struct ErrorType {
  std::string_view type;
  Outcome outcome;
};

// As an upstream's error of that type is meant.
constexpr std::array<ErrorType, 11> kErrorTypes{{
    {"invalid_request_error", Outcome::UpstreamRejected},
    {"authentication_error", Outcome::UpstreamAuth},
    {"billing_error", Outcome::UpstreamAuth},
    {"permission_error", Outcome::UpstreamAuth},
    {"not_found_error", Outcome::UpstreamRejected},
    {"conflict_error", Outcome::UpstreamRejected},
    {"request_too_large", Outcome::UpstreamRejected},
    {"rate_limit_error", Outcome::UpstreamRateLimit},
    {"overloaded_error", Outcome::UpstreamOverloaded},
    {"timeout_error", Outcome::UpstreamError},
    {"api_error", Outcome::UpstreamError},
}};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

// The number that begins at `*at`, thousands separated by commas or not; *at moves behind it.
int64_t number_at(std::string_view text, size_t* at) {
  int64_t value = 0;
  size_t i = *at;
  for (; i < text.size() && (std::isdigit(static_cast<unsigned char>(text[i])) || text[i] == ',');
       ++i) {
    if (text[i] != ',') value = std::min<int64_t>(value * 10 + (text[i] - '0'), 1'000'000'000'000);
  }
  *at = i;
  return value;
}

// The first two numbers of a provider's message that can be sizes of prompt and window: whatever
// their order, the prompt is the larger.
std::optional<std::pair<int64_t, int64_t>> sizes_in(std::string_view text) {
  std::array<int64_t, 2> sizes{};
  size_t count = 0;
  for (size_t i = 0; i < text.size() && count < sizes.size();) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) {
      ++i;
      continue;
    }
    const bool inside_word = i > 0 && (is_word(text[i - 1]) || text[i - 1] == '.');
    const int64_t value = number_at(text, &i);
    const bool ends = i == text.size() || !is_word(text[i]);
    if (!inside_word && ends && value >= kSmallestWindow) sizes[count++] = value;
    while (i < text.size() && is_word(text[i])) ++i;
  }
  if (count < sizes.size() || sizes[0] == sizes[1]) return std::nullopt;
  return std::pair(std::max(sizes[0], sizes[1]), std::min(sizes[0], sizes[1]));
}

// Clients cut their history by what this says, and know only the provider's own words.
std::string overflow_message(const std::string& message) {
  if (message.find("prompt is too long") != std::string::npos ||
      message.find("exceed context limit") != std::string::npos) {
    return message;
  }
  if (const auto sizes = sizes_in(message)) {
    return fmt::format("prompt is too long: {} tokens > {} maximum", sizes->first, sizes->second);
  }
  return "prompt is too long: " + message;
}

std::string time_text(int64_t seconds) {
  std::array<char, kTimestampBound> text;
  const char* end = put_timestamp(text.data(), seconds * 1'000'000);
  return {text.data(), static_cast<size_t>(end - text.data())};
}

void append_model(std::string& out, const Model& model) {
  out += R"({"type":"model","id":)";
  json::append_quoted(out, model.id);
  out += R"(,"display_name":)";
  json::append_quoted(out, model.display_name.empty() ? model.id : model.display_name);
  out += R"(,"created_at":)";
  json::append_quoted(out, time_text(model.created));
  out += '}';
}

}  // namespace

std::string_view error_type_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::BadRequest:
    case Outcome::MethodNotAllowed:
    case Outcome::HeadTooLarge:
    case Outcome::Unsupported:
    case Outcome::UpstreamRejected:
    case Outcome::ContextOverflow:
    case Outcome::ContentPolicy:
      return "invalid_request_error";
    case Outcome::Unauthorized:
      return "authentication_error";
    case Outcome::Forbidden:
      return "permission_error";
    case Outcome::NotFound:
    case Outcome::ModelNotFound:
      return "not_found_error";
    case Outcome::TooLarge:
      return "request_too_large";
    case Outcome::RateLimited:
    case Outcome::UpstreamRateLimit:
      return "rate_limit_error";
    case Outcome::BudgetExceeded:
      return "billing_error";
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
      return "overloaded_error";
    default:
      return "api_error";
  }
}

int status_of(Outcome outcome) {
  constexpr int kNotFound = 404;
  constexpr int kOverloaded = 529;
  if (outcome == Outcome::ModelNotFound) return kNotFound;
  return error_type_of(outcome) == "overloaded_error" ? kOverloaded : http_status_of(outcome);
}

Outcome outcome_of_error(std::string_view type, std::string_view message) {
  const auto says = [&](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  };
  const auto found = std::find_if(kErrorTypes.begin(), kErrorTypes.end(),
                                  [&](const ErrorType& known) { return known.type == type; });
  const Outcome outcome = found == kErrorTypes.end() ? Outcome::UpstreamError : found->outcome;
  if (outcome != Outcome::UpstreamRejected) return outcome;
  if (says("prompt is too long") || says("exceed context limit")) return Outcome::ContextOverflow;
  if (says("content filtering policy")) return Outcome::ContentPolicy;
  return outcome;
}

std::string encode_error(const Error& error, std::string_view request_id) {
  std::string out = R"({"type":"error","error":{"type":)";
  json::append_quoted(out, error_type_of(error.outcome()));
  out += R"(,"message":)";
  json::append_quoted(out, error.outcome() == Outcome::ContextOverflow
                               ? overflow_message(error.message())
                               : error.message());
  out += R"(},"request_id":)";
  if (request_id.empty()) {
    out += "null";
  } else {
    json::append_quoted(out, request_id);
  }
  out += '}';
  return out;
}

std::string encode_error_event(const Error& error, std::string_view request_id) {
  return "event: error\ndata: " + encode_error(error, request_id) + "\n\n";
}

std::string encode_model(const Model& model) {
  std::string out;
  append_model(out, model);
  return out;
}

std::string encode_models(std::span<const Model> models) {
  std::string out = R"({"data":[)";
  for (size_t i = 0; i < models.size(); ++i) {
    if (i != 0) out += ',';
    append_model(out, models[i]);
  }
  out += R"(],"has_more":false,"first_id":)";
  const auto append_id = [&](const Model* model) {
    if (model == nullptr) {
      out += "null";
    } else {
      json::append_quoted(out, model->id);
    }
  };
  append_id(models.empty() ? nullptr : &models.front());
  out += R"(,"last_id":)";
  append_id(models.empty() ? nullptr : &models.back());
  out += '}';
  return out;
}

std::string encode_count(int64_t input_tokens) {
  return fmt::format(R"({{"input_tokens":{}}})", input_tokens);
}

}  // namespace sluice::anthropic
