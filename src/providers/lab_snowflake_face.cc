#include "providers/lab_snowflake_face.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_openai_read.h"
#include "providers/lab_options.h"
#include "providers/lab_snowflake_request.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

struct Words {
  int status;
  std::string_view message;
};
constexpr std::array<Words, 10> kWords = {{
    {400, "Bad request."},
    {401, "Authentication failed."},
    {402, "Budget exceeded."},
    {403, "Not authorized to use Cortex: the default role lacks SNOWFLAKE.CORTEX_USER."},
    {408, "Request timed out."},
    {413, "Request is too large."},
    {429, "Too many requests."},
    {500, "Internal error."},
    {503, "Service unavailable: the model is overloaded."},
    {504, "Gateway timeout."},
}};

// The form of a UUID, made from the number of the request.
std::string uuid_of(std::string_view request_id) {
  const uint64_t high = lab_hash(request_id, 1);
  const uint64_t low = lab_hash(request_id, 2);
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", high >> 32U, high >> 16U & 0xFFFFU,
                     high & 0xFFFU, low >> 48U & 0xFFFU, low & 0xFFFF'FFFF'FFFFU);
}

bool is_number(std::string_view code) {
  return !code.empty() && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<LabError> lab_snowflake_check_head(const net::RequestHead& head,
                                                 LabRequest& request) {
  const std::string_view authorization = head.headers.find("authorization").value_or("");
  const std::string_view type =
      head.headers.find("x-snowflake-authorization-token-type").value_or("");
  const auto refusal =
      request.arrival.options->snowflake.refusal(authorization, type, request.arrival.wall_seconds);
  request.credential = authorization.substr(std::min<size_t>(authorization.size(), 7));
  if (!refusal) return std::nullopt;
  request.refusal_reason = refusal->reason;
  LabError error;
  error.status = refusal->status;
  error.code = refusal->code;
  error.message = refusal->message;
  return error;
}

void lab_snowflake_read(LabFields& fields, LabRequest& request) {
  if (request.endpoint == chat::Endpoint::Embeddings)
    return read_lab_snowflake_embed(fields, request);
  read_lab_snowflake_complete(fields, request);
}

void lab_snowflake_read_chat(LabFields& fields, LabRequest& request) {
  check_lab_snowflake_chat(fields);
  read_lab_chat(fields, request);
}

void lab_snowflake_read_messages(LabFields& fields, LabRequest& request) {
  request.api_version = kLabAnthropicVersion;
  lab_anthropic_read(fields, request);
}

LabError lab_snowflake_no_model(std::string_view model, std::string_view hint) {
  LabError error;
  error.message = fmt::format("unknown model \"{}\" ({})", model, hint);
  return error;
}

LabError lab_snowflake_too_long(const LabRequest&, const LabModel& model, int64_t tokens) {
  LabError error;
  error.message =
      fmt::format("max tokens of {} exceeded: the request has {} tokens", model.context, tokens);
  return error;
}

LabError lab_snowflake_reword(LabError error) {
  const auto* const words = std::ranges::find(kWords, error.status, &Words::status);
  if (words != kWords.end()) error.message = words->message;
  return error;
}

// The numbers of most errors are not public; those are 390 and the status.
std::string lab_snowflake_error_body(const LabError& error, std::string_view request_id) {
  const std::string code = is_number(error.code) ? error.code : fmt::format("390{}", error.status);
  std::string body = R"({"message":)";
  append_json(body, error.message);
  return body + fmt::format(R"(,"code":"{0}","error_code":"{0}","request_id":"{1}"}})", code,
                            uuid_of(request_id));
}

std::string lab_snowflake_headers(const LabReplyFacts& facts) {
  return fmt::format("X-Snowflake-Request-ID: {}\r\n", uuid_of(facts.request_id));
}

std::unique_ptr<LabEncoder> lab_snowflake_encoder(const LabRequest& request,
                                                  LabCompletion completion, const LabPlan& plan,
                                                  LabPrice price) {
  return std::make_unique<LabSnowflakeEncoder>(request, std::move(completion), plan, price);
}

std::optional<LabPage> lab_snowflake_page(std::string_view rest, LabRequest& request) {
  if (rest != "/models") return std::nullopt;
  LabPage page;
  if (const auto error = lab_snowflake_check_head(*request.arrival.head, request)) {
    page.status = error->status;
    page.body = lab_snowflake_error_body(*error, "");
  } else {
    page.body = lab_snowflake_models_body();
  }
  return page;
}

std::string lab_snowflake_no_models(std::string_view) {
  return "";
}

std::string lab_snowflake_no_model_page(const LabModel&) {
  return "";
}

}  // namespace sluice::providers
