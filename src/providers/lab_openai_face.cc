#include "providers/lab_openai_face.h"

#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_chat.h"
#include "providers/lab_models.h"
#include "providers/lab_openai_read.h"
#include "providers/lab_responses_encoder.h"
#include "providers/lab_responses_read.h"

namespace sluice::providers {

std::optional<LabError> lab_openai_check_head(const net::RequestHead& head, LabRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = head.headers.find("authorization").value_or("");
  LabError error = lab_error_of_status(401);
  if (!authorization.starts_with(kBearer) || authorization.size() == kBearer.size()) {
    error.code.clear();
    error.message =
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
    return error;
  }
  request.credential = authorization.substr(kBearer.size());
  if (request.credential.starts_with("invalid")) return error;
  return std::nullopt;
}

void lab_openai_read(LabFields& fields, LabRequest& request) {
  request.user = fields.text("user").value_or("");
  if (const auto id = fields.text("safety_identifier")) request.user = *id;
  switch (request.endpoint) {
    case chat::Endpoint::Responses:
    case chat::Endpoint::CountTokens:
      return read_lab_responses(fields, request);
    case chat::Endpoint::Completions:
      return read_lab_completion(fields, request);
    case chat::Endpoint::Embeddings:
      return read_lab_embedding(fields, request);
    default:
      return read_lab_chat(fields, request);
  }
}

LabError lab_openai_no_model(std::string_view model, std::string_view hint) {
  LabError error = lab_error_of_status(404);
  error.message = fmt::format("The model '{}' does not exist or you do not have access to it. ({})",
                              model, hint);
  return error;
}

LabError lab_openai_too_long(const LabRequest& request, const LabModel& model, int64_t tokens) {
  LabError error;
  error.code = "context_length_exceeded";
  error.param = request.endpoint == chat::Endpoint::Chat ? "messages" : "input";
  error.message = fmt::format(
      "This model's maximum context length is {} tokens. However, you requested {} tokens.",
      model.context, tokens);
  return error;
}

LabError lab_openai_reword(LabError error) {
  return error;
}

std::string lab_openai_error_body(const LabError& error, std::string_view) {
  const auto append_text_or_null = [](std::string& out, std::string_view text) {
    if (text.empty()) {
      out += "null";
    } else {
      append_json(out, text);
    }
  };
  std::string out = R"({"error":{"message":)";
  append_json(out, error.message);
  out += R"(,"type":)";
  append_json(out, error.type);
  out += R"(,"param":)";
  append_text_or_null(out, error.param);
  out += R"(,"code":)";
  append_text_or_null(out, error.code);
  out += "}}";
  return out;
}

std::string lab_openai_headers(const LabReplyFacts& facts) {
  return fmt::format(
      "x-request-id: {}\r\nopenai-processing-ms: {}\r\nopenai-version: 2020-10-01\r\n"
      "openai-organization: lab\r\nx-ratelimit-limit-requests: 10000\r\n"
      "x-ratelimit-limit-tokens: 2000000\r\nx-ratelimit-remaining-requests: 9999\r\n"
      "x-ratelimit-remaining-tokens: {}\r\nx-ratelimit-reset-requests: 6ms\r\n"
      "x-ratelimit-reset-tokens: 1s\r\n",
      facts.request_id, facts.spent_ms, 2'000'000 - facts.prompt_tokens);
}

std::unique_ptr<LabEncoder> lab_openai_encoder(const LabRequest& request, LabCompletion completion,
                                               const LabPlan& plan, LabPrice price) {
  if (request.endpoint == chat::Endpoint::Responses) {
    return std::make_unique<LabResponsesEncoder>(request, std::move(completion), plan, price);
  }
  return std::make_unique<LabChatEncoder>(request, std::move(completion), plan, price);
}

std::string lab_openai_model(const LabModel& model) {
  return fmt::format(R"({{"id":"lab/{}","object":"model","created":{},"owned_by":"lab"}})",
                     model.name, kLabCreated);
}

std::string lab_openai_count(int64_t tokens) {
  return fmt::format(R"({{"object":"response.input_tokens","input_tokens":{}}})", tokens);
}

std::string lab_openai_models(std::string_view) {
  std::string out = R"({"object":"list","data":[)";
  for (const LabModel& model : lab_models()) {
    if (&model != lab_models().data()) out += ',';
    out += lab_openai_model(model);
  }
  out += "]}\n";
  return out;
}

}  // namespace sluice::providers
