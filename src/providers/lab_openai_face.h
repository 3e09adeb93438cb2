// The OpenAI face. Its parts are named, so that faces of providers that speak the same dialect can
// take what they share.
#pragma once

#include "providers/lab_face.h"

namespace sluice::providers {

// Authorization: Bearer KEY; a key that begins with "invalid" is none.
std::optional<LabError> lab_openai_check_head(const net::RequestHead& head, LabRequest& request);
void lab_openai_read(LabFields& fields, LabRequest& request);
LabError lab_openai_no_model(std::string_view model, std::string_view hint);
LabError lab_openai_too_long(const LabRequest& request, const LabModel& model, int64_t tokens);
LabError lab_openai_reword(LabError error);
// {"error":{"message":...,"type":...,"param":...,"code":...}}
std::string lab_openai_error_body(const LabError& error, std::string_view request_id);
std::string lab_openai_headers(const LabReplyFacts& facts);
std::unique_ptr<LabEncoder> lab_openai_encoder(const LabRequest& request, LabCompletion completion,
                                               const LabPlan& plan, LabPrice price);
// {"object":"response.input_tokens","input_tokens":57}
std::string lab_openai_count(int64_t tokens);
std::string lab_openai_models(std::string_view query);
std::string lab_openai_model(const LabModel& model);

inline constexpr LabFace kLabOpenAiFace = {
    .name = "openai",
    .usual_model = "chat",
    .wording = &kLabOpenAiWording,
    .check_head = lab_openai_check_head,
    .read = lab_openai_read,
    .no_model = lab_openai_no_model,
    .too_long = lab_openai_too_long,
    .reword = lab_openai_reword,
    .error_body = lab_openai_error_body,
    .overloaded = 503,
    .headers = lab_openai_headers,
    .encoder = lab_openai_encoder,
    .count = lab_openai_count,
    .models = lab_openai_models,
    .model = lab_openai_model,
};

}  // namespace sluice::providers
