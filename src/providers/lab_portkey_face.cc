#include "providers/lab_portkey_face.h"

#include <array>
#include <fmt/format.h>

#include "base/text_out.h"

namespace sluice::providers {
namespace {

// Models that vendors behind Portkey are known for, each in the place of one of the lab's.
struct Alias {
  std::string_view prefix;
  std::string_view model;
};
constexpr std::array<Alias, 4> kAliases = {{
    {"gpt-", "chat"},
    {"claude-", "claude"},
    {"text-embedding-3-large", "embed-large"},
    {"text-embedding-", "embed"},
}};

LabError no_json(std::string_view) {
  LabError error;
  error.status = 500;
  error.body = lab_portkey_failure("Something went wrong");
  error.headers = "x-portkey-gateway-exception: true\r\n";
  return error;
}

// Portkey reads a body before the vendor does.
LabWording behind_portkey(LabWording wording) {
  wording.no_json = no_json;
  return wording;
}

std::string text_or_null(std::string_view text) {
  std::string out;
  if (text.empty()) return "null";
  append_json(out, text);
  return out;
}

}  // namespace

const LabWording kLabPortkeyWording = behind_portkey(kLabOpenAiWording);
const LabWording kLabPortkeyMessagesWording = behind_portkey(kLabAnthropicWording);

std::optional<LabError> lab_portkey_check_head(const net::RequestHead& head, LabRequest& request) {
  request.credential = head.headers.find("x-portkey-api-key").value_or("");
  auto refusal = check_lab_portkey_head(head.headers, request.portkey);
  if (request.portkey.trace_id.empty())
    request.portkey.trace_id = fmt::format("lab-{}", request.arrival.request_id);
  return refusal;
}

void lab_portkey_route(LabFields& fields, LabRequest& request) {
  if (auto refusal =
          route_lab_portkey(request.arrival.head->headers, request.model, request.portkey)) {
    return fields.refuse(*std::move(refusal));
  }
  request.model = request.portkey.model;
  if (request.portkey.key_fault.empty()) return;
  LabError error = lab_error_of_status(401);
  error.message = request.portkey.key_fault;
  fields.refuse(std::move(error));
}

std::optional<LabModel> lab_portkey_find_model(std::string_view name, chat::Endpoint) {
  const LabModel* model = lab_model(name);
  for (const Alias& alias : kAliases) {
    if (model == nullptr && name.starts_with(alias.prefix)) model = lab_model(alias.model);
  }
  return model != nullptr ? std::optional(*model) : std::nullopt;
}

std::string lab_portkey_headers(const LabReplyFacts& facts) {
  const LabPortkeyRoute& route = facts.request.portkey;
  return fmt::format(
      "x-portkey-trace-id: {}\r\nx-portkey-cache-status: {}\r\n"
      "x-portkey-retry-attempt-count: {}\r\nx-portkey-last-used-option-index: {}\r\n"
      "x-portkey-provider: {}\r\n",
      route.trace_id, route.caches ? "MISS" : "DISABLED",
      facts.failed && route.retries > 0 ? -1 : 0, route.option, route.vendor);
}

std::string lab_portkey_openai_headers(const LabReplyFacts& facts) {
  return lab_openai_headers(facts) + lab_portkey_headers(facts);
}

std::string lab_portkey_anthropic_headers(const LabReplyFacts& facts) {
  return lab_anthropic_headers(facts) + lab_portkey_headers(facts);
}

void lab_portkey_read_messages(LabFields& fields, LabRequest& request) {
  request.api_version = kLabAnthropicVersion;
  lab_anthropic_read(fields, request);
}

void lab_portkey_last_word(const LabRequest& request, LabError& error) {
  const LabPortkeyRoute& route = request.portkey;
  if (!error.body.empty()) {
    error.headers += fmt::format("x-portkey-trace-id: {}\r\n", route.trace_id);
    return;
  }
  std::string message;
  append_json(message, fmt::format("{} error: {}", route.vendor, error.message));
  error.body = fmt::format(
      R"({{"error":{{"message":{},"type":{},"param":{},"code":{}}},"provider":"{}"}})", message,
      text_or_null(error.type), text_or_null(error.param), text_or_null(error.code), route.vendor);
}

std::optional<LabPage> lab_portkey_page(std::string_view rest, LabRequest& request) {
  if (!rest.starts_with("/models")) return std::nullopt;
  const auto refusal = lab_portkey_check_head(*request.arrival.head, request);
  if (!refusal) return std::nullopt;
  LabPage page;
  page.status = refusal->status;
  page.body = refusal->body;
  return page;
}

}  // namespace sluice::providers
