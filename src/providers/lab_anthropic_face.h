// The Anthropic face: Messages, counting of tokens, models.
#pragma once

#include "providers/lab_face.h"

namespace sluice::providers {

// What callers get who name none, where a router in front takes that.
inline constexpr std::string_view kLabAnthropicVersion = "2023-06-01";

// anthropic-version, and x-api-key or Authorization: Bearer; a key that begins with "invalid" is
// none.
std::optional<LabError> lab_anthropic_check_head(const net::RequestHead& head, LabRequest& request);
// Messages and count_tokens.
void lab_anthropic_read(LabFields& fields, LabRequest& request);
LabError lab_anthropic_no_model(std::string_view model, std::string_view hint);
LabError lab_anthropic_too_long(const LabRequest& request, const LabModel& model, int64_t tokens);
LabError lab_anthropic_reword(LabError error);
// {"type":"error","error":{"type":...,"message":...},"request_id":...}
std::string lab_anthropic_error_body(const LabError& error, std::string_view request_id);
// "overloaded_error" for 529, and so on.
std::string_view lab_anthropic_error_type(int status);
std::string lab_anthropic_headers(const LabReplyFacts& facts);
std::unique_ptr<LabEncoder> lab_anthropic_encoder(const LabRequest& request,
                                                  LabCompletion completion, const LabPlan& plan,
                                                  LabPrice price);
// {"input_tokens":57}
std::string lab_anthropic_count(int64_t tokens);
// `limit` and `after_id` of the query count.
std::string lab_anthropic_models(std::string_view query);
std::string lab_anthropic_model(const LabModel& model);

inline constexpr LabFace kLabAnthropicFace = {
    .name = "anthropic",
    .usual_model = "claude",
    .wording = &kLabAnthropicWording,
    .check_head = lab_anthropic_check_head,
    .read = lab_anthropic_read,
    .no_model = lab_anthropic_no_model,
    .too_long = lab_anthropic_too_long,
    .reword = lab_anthropic_reword,
    .error_body = lab_anthropic_error_body,
    .overloaded = 529,
    .headers = lab_anthropic_headers,
    .encoder = lab_anthropic_encoder,
    .count = lab_anthropic_count,
    .models = lab_anthropic_models,
    .model = lab_anthropic_model,
};

}  // namespace sluice::providers
