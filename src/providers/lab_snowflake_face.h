// Snowflake Cortex: its own endpoints, and the two that speak another's dialect. All share who may
// call, the models and the shape of an error.
#pragma once

#include "providers/lab_anthropic_face.h"
#include "providers/lab_face.h"
#include "providers/lab_openai_face.h"
#include "providers/lab_snowflake_answer.h"
#include "providers/lab_snowflake_models.h"

namespace sluice::providers {

std::optional<LabError> lab_snowflake_check_head(const net::RequestHead& head, LabRequest& request);
void lab_snowflake_read(LabFields& fields, LabRequest& request);
void lab_snowflake_read_chat(LabFields& fields, LabRequest& request);
void lab_snowflake_read_messages(LabFields& fields, LabRequest& request);
LabError lab_snowflake_no_model(std::string_view model, std::string_view hint);
LabError lab_snowflake_too_long(const LabRequest& request, const LabModel& model, int64_t tokens);
LabError lab_snowflake_reword(LabError error);
// {"message","code","error_code","request_id"}
std::string lab_snowflake_error_body(const LabError& error, std::string_view request_id);
std::string lab_snowflake_headers(const LabReplyFacts& facts);
std::unique_ptr<LabEncoder> lab_snowflake_encoder(const LabRequest& request,
                                                  LabCompletion completion, const LabPlan& plan,
                                                  LabPrice price);
std::optional<LabPage> lab_snowflake_page(std::string_view rest, LabRequest& request);
// There is no such path.
std::string lab_snowflake_no_models(std::string_view query);
std::string lab_snowflake_no_model_page(const LabModel& model);

// inference:complete and inference:embed
inline constexpr LabFace kLabSnowflakeFace = {
    .name = "snowflake",
    .usual_model = "chat",
    .wording = &kLabOpenAiWording,
    .check_head = lab_snowflake_check_head,
    .read = lab_snowflake_read,
    .no_model = lab_snowflake_no_model,
    .too_long = lab_snowflake_too_long,
    .reword = lab_snowflake_reword,
    .error_body = lab_snowflake_error_body,
    .overloaded = 503,
    .headers = lab_snowflake_headers,
    .encoder = lab_snowflake_encoder,
    .count = lab_anthropic_count,
    .models = lab_snowflake_no_models,
    .model = lab_snowflake_no_model_page,
    .find_model = lab_snowflake_model,
    .embeddings = lab_snowflake_embeddings_body,
    .page = lab_snowflake_page,
};

// v1/chat/completions: OpenAI's dialect.
inline constexpr LabFace kLabSnowflakeChatFace = [] {
  LabFace face = kLabSnowflakeFace;
  face.name = "snowflake-chat";
  face.read = lab_snowflake_read_chat;
  face.encoder = lab_openai_encoder;
  face.embeddings = nullptr;
  face.page = nullptr;
  return face;
}();

// v1/messages: Anthropic's dialect, models of Anthropic only.
inline constexpr LabFace kLabSnowflakeMessagesFace = [] {
  LabFace face = kLabSnowflakeFace;
  face.name = "snowflake-messages";
  face.usual_model = "claude";
  face.wording = &kLabAnthropicWording;
  face.read = lab_snowflake_read_messages;
  face.encoder = lab_anthropic_encoder;
  face.embeddings = nullptr;
  face.page = nullptr;
  return face;
}();

}  // namespace sluice::providers
