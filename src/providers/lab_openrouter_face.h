// OpenRouter: OpenAI's dialect with routing of its own, typed errors and a cost in every reply.
#pragma once

#include "providers/lab_anthropic_face.h"
#include "providers/lab_face.h"
#include "providers/lab_openai_face.h"
#include "providers/lab_openrouter_error.h"
#include "providers/lab_openrouter_models.h"

namespace sluice::providers {

// Authorization: Bearer sk-or-KEY; `sk-or-invalid...` is nobody's.
std::optional<LabError> lab_openrouter_check_head(const net::RequestHead& head,
                                                  LabRequest& request);
// `models` alone names a model too.
void lab_openrouter_route(LabFields& fields, LabRequest& request);
void lab_openrouter_read(LabFields& fields, LabRequest& request);
void lab_openrouter_read_messages(LabFields& fields, LabRequest& request);
void lab_openrouter_habits(const LabRequest& request, LabPlan& plan);
LabError lab_openrouter_no_model(std::string_view model, std::string_view hint);
LabError lab_openrouter_too_long(const LabRequest& request, const LabModel& model, int64_t tokens);
std::string lab_openrouter_headers(const LabReplyFacts& facts);
std::unique_ptr<LabEncoder> lab_openrouter_encoder(const LabRequest& request,
                                                   LabCompletion completion, const LabPlan& plan,
                                                   LabPrice price);
// X-RateLimit-* on its own 429s.
void lab_openrouter_last_word(const LabRequest& request, LabError& error);
// /models, /key, /credits
std::optional<LabPage> lab_openrouter_page(std::string_view rest, LabRequest& request);

inline constexpr LabFace kLabOpenRouterFace = [] {
  LabFace face = kLabOpenAiFace;
  face.name = "openrouter";
  face.check_head = lab_openrouter_check_head;
  face.read = lab_openrouter_read;
  face.no_model = lab_openrouter_no_model;
  face.too_long = lab_openrouter_too_long;
  face.reword = lab_openrouter_reword;
  face.error_body = lab_openrouter_error_body;
  face.headers = lab_openrouter_headers;
  face.encoder = lab_openrouter_encoder;
  face.route = lab_openrouter_route;
  face.find_model = lab_openrouter_model;
  face.habits = lab_openrouter_habits;
  face.last_word = lab_openrouter_last_word;
  face.page = lab_openrouter_page;
  return face;
}();

// messages: Anthropic's dialect, and its shape of an error.
inline constexpr LabFace kLabOpenRouterMessagesFace = [] {
  LabFace face = kLabOpenRouterFace;
  face.name = "openrouter-messages";
  face.usual_model = kLabAnthropicFace.usual_model;
  face.wording = &kLabAnthropicWording;
  face.read = lab_openrouter_read_messages;
  face.error_body = lab_anthropic_error_body;
  face.encoder = lab_anthropic_encoder;
  face.count = lab_anthropic_count;
  return face;
}();

}  // namespace sluice::providers
