#include "gateway/face.h"

#include "wire/anthropic.h"
#include "wire/openai.h"
#include "wire/responses.h"

namespace sluice::gateway {
namespace {

bool is_anthropic(chat::Endpoint endpoint) {
  return endpoint == chat::Endpoint::Messages || endpoint == chat::Endpoint::CountTokens;
}

}  // namespace

Result<chat::Request> decode_request(chat::Endpoint endpoint, std::string_view body) {
  if (is_anthropic(endpoint)) return anthropic::decode_request(endpoint, body);
  if (endpoint == chat::Endpoint::Responses) return responses::decode_request(body);
  return openai::decode_request(endpoint, body);
}

int status_for(chat::Endpoint endpoint, Outcome outcome) {
  return is_anthropic(endpoint) ? anthropic::status_of(outcome) : http_status_of(outcome);
}

std::string error_body(chat::Endpoint endpoint, const Error& error, std::string_view request_id) {
  if (is_anthropic(endpoint)) return anthropic::encode_error(error, request_id);
  return openai::encode_error(error);
}

std::string error_event(chat::Endpoint endpoint, const Error& error, std::string_view request_id,
                        int64_t sequence) {
  if (is_anthropic(endpoint)) return anthropic::encode_error_event(error, request_id);
  if (endpoint == chat::Endpoint::Responses) {
    return responses::encode_error_event(error, sequence);
  }
  return openai::encode_error_event(error);
}

}  // namespace sluice::gateway
