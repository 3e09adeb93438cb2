// Portkey in front of a provider of OpenAI's dialect: its own judgement of a request, its headers
// on every reply, and the provider's errors as it passes them on.
#pragma once

#include "providers/lab_anthropic_face.h"
#include "providers/lab_face.h"
#include "providers/lab_openai_face.h"

namespace sluice::providers {

extern const LabWording kLabPortkeyWording;
extern const LabWording kLabPortkeyMessagesWording;

std::optional<LabError> lab_portkey_check_head(const net::RequestHead& head, LabRequest& request);
void lab_portkey_route(LabFields& fields, LabRequest& request);
std::optional<LabModel> lab_portkey_find_model(std::string_view name, chat::Endpoint endpoint);
// What stands behind the vendor's own headers.
std::string lab_portkey_headers(const LabReplyFacts& facts);
std::string lab_portkey_openai_headers(const LabReplyFacts& facts);
std::string lab_portkey_anthropic_headers(const LabReplyFacts& facts);
void lab_portkey_read_messages(LabFields& fields, LabRequest& request);
void lab_portkey_last_word(const LabRequest& request, LabError& error);
std::optional<LabPage> lab_portkey_page(std::string_view rest, LabRequest& request);

inline constexpr LabFace kLabPortkeyFace = [] {
  LabFace face = kLabOpenAiFace;
  face.name = "portkey";
  face.wording = &kLabPortkeyWording;
  face.check_head = lab_portkey_check_head;
  face.headers = lab_portkey_openai_headers;
  face.route = lab_portkey_route;
  face.find_model = lab_portkey_find_model;
  face.last_word = lab_portkey_last_word;
  face.page = lab_portkey_page;
  return face;
}();

// messages: Anthropic's dialect.
inline constexpr LabFace kLabPortkeyMessagesFace = [] {
  LabFace face = kLabPortkeyFace;
  face.name = "portkey-messages";
  face.usual_model = kLabAnthropicFace.usual_model;
  face.wording = &kLabPortkeyMessagesWording;
  face.read = lab_portkey_read_messages;
  face.no_model = lab_anthropic_no_model;
  face.too_long = lab_anthropic_too_long;
  face.reword = lab_anthropic_reword;
  face.overloaded = kLabAnthropicFace.overloaded;
  face.headers = lab_portkey_anthropic_headers;
  face.encoder = lab_anthropic_encoder;
  face.count = lab_anthropic_count;
  return face;
}();

}  // namespace sluice::providers
