// What errors of this dialect mean, and how the gateway's own are told in a stream.
#include <array>
#include <fmt/format.h>

#include "wire/json.h"
#include "wire/responses.h"

namespace sluice::responses {
namespace {

struct Meaning {
  std::string_view word;  // in code or type
  Outcome outcome;
};
// Before what all OpenAI dialects share: first match wins.
constexpr std::array<Meaning, 9> kMeanings{{
    {"context_length_exceeded", Outcome::ContextOverflow},
    {"content_policy", Outcome::ContentPolicy},
    {"content_filter", Outcome::ContentPolicy},
    {"bio_policy", Outcome::ContentPolicy},
    {"invalid_prompt", Outcome::UpstreamRejected},
    {"invalid_base64_image", Outcome::UpstreamRejected},
    {"invalid_image", Outcome::UpstreamRejected},
    {"image_", Outcome::UpstreamRejected},
    {"_image", Outcome::UpstreamRejected},
}};

// How the window's end is told where the code does not say it (acceptance RET-3).
constexpr std::array<std::string_view, 3> kOverflowWords{"context window", "maximum context length",
                                                         "prompt is too long"};

void append_quoted_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    json::append_quoted(out, text);
  }
}

}  // namespace

Outcome outcome_of_error(std::string_view code, std::string_view type, std::string_view message) {
  const auto has = [](std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
  };
  for (const Meaning& meaning : kMeanings) {
    if (has(code, meaning.word) || has(type, meaning.word)) return meaning.outcome;
  }
  for (const std::string_view words : kOverflowWords) {
    if (has(message, words)) return Outcome::ContextOverflow;
  }
  return openai::outcome_of_error(code, type);
}

std::string encode_error_event(const Error& error, int64_t sequence_number) {
  std::string out = fmt::format(
      "event: error\ndata: {{\"type\":\"error\",\"sequence_number\":{},\"code\":", sequence_number);
  append_quoted_or_null(out, openai::error_code_of(error.outcome()));
  out += R"(,"message":)";
  json::append_quoted(out, error.message());
  out += R"(,"param":)";
  append_quoted_or_null(out, error.param());
  out += ',';
  out += std::string_view(openai::encode_error(error)).substr(1);
  out += "\n\n";
  return out;
}

}  // namespace sluice::responses
