#include "providers/lab.h"

#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_answer.h"
#include "providers/lab_chat.h"
#include "providers/lab_faults.h"
#include "providers/lab_models.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kJson = "Content-Type: application/json\r\n";
constexpr std::string_view kText = "Content-Type: text/plain; charset=utf-8\r\n";

std::optional<chat::Endpoint> endpoint_at(std::string_view path) {
  if (path == "/chat/completions") return chat::Endpoint::Chat;
  if (path == "/completions") return chat::Endpoint::Completions;
  if (path == "/embeddings") return chat::Endpoint::Embeddings;
  return std::nullopt;
}

std::string model_json(std::string_view id) {
  std::string out = R"({"id":)";
  append_json(out, id);
  out += fmt::format(R"(,"object":"model","created":{},"owned_by":"lab"}})", kLabCreated);
  return out;
}

std::string models_body() {
  std::string out = R"({"object":"list","data":[)";
  for (const LabModel& model : lab_models()) {
    if (&model != lab_models().data()) out += ',';
    out += model_json(fmt::format("lab/{}", model.name));
  }
  out += "]}\n";
  return out;
}

// "%2F" and the like; SDKs write the slash of a model's name so.
std::string percent_decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

std::string front_page() {
  std::string out =
      "This is the Sluice lab: a fake provider of the OpenAI dialect. No model is asked; every\n"
      "reply says so in its system_fingerprint. Any key is good, but one that begins with\n"
      "\"invalid\".\n\n"
      "  POST /v1/chat/completions, /v1/completions, /v1/embeddings; GET /v1/models\n"
      "  GET  /lab/meter          what was asked, given and charged\n"
      "  POST /lab/meter/reset    forget all of that, and what fail-first-N has counted\n"
      "  GET  /lab/last           the last request as it arrived\n\n"
      "Models (with or without \"lab/\"; join faults with '+': \"lab/chat+tokens-60\"):\n";
  for (const LabModel& model : lab_models())
    out += fmt::format("  {:<28}{}\n", model.name, model.doc);
  out += "\nFaults, as a model or in the header x-lab-fault, joined by ',':\n";
  return out + lab_faults_text();
}

}  // namespace

std::string Lab::refuse(Outcome outcome, std::string_view reason) {
  LabError error = lab_error_of_status(http_status_of(outcome));
  error.message = reason;
  return lab_error_body(error);
}

Task<void> Lab::reply_error(net::ServerExchange& exchange, std::string_view headers,
                            LabError error) {
  const std::string lines = std::string(kJson) + std::string(headers);
  const std::string body = lab_error_body(error);
  // A client that is gone needs no answer.
  (void)co_await exchange.reply(error.status, lines, body);
}

Task<void> Lab::get(net::ServerExchange& exchange, std::string_view path) {
  std::string_view type = kJson;
  std::string body;
  if (path == "/" || path.empty()) {
    type = kText;
    body = front_page();
  } else if (path == "/lab/meter") {
    body = state_.meter.json();
  } else if (path == "/lab/last") {
    body = state_.memory.last_json();
  } else if (path == "/models") {
    body = models_body();
  } else if (path.starts_with("/models/")) {
    const std::string name = percent_decoded(path.substr(8));
    const LabModel* const model = lab_model(name);
    if (model != nullptr) body = model_json(fmt::format("lab/{}", model->name)) + "\n";
  }
  if (body.empty()) {
    LabError error = lab_error_of_status(404);
    if (!path.starts_with("/models/")) {
      error.code.clear();
      error.param.clear();
      error.message = fmt::format("Unknown request URL: GET {}.", path);
    }
    co_await reply_error(exchange, "", std::move(error));
    co_return;
  }
  (void)co_await exchange.reply(200, type, body);
}

Task<void> Lab::handle(net::ServerExchange& exchange) {
  const std::string_view method = exchange.head().method;
  std::string_view path = exchange.head().path();
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  const auto endpoint = endpoint_at(path);
  const bool reset = path == "/lab/meter/reset";
  if (endpoint && method == "POST") {
    LabAnswer answer(exchange, state_, parser_, seed_, *endpoint);
    co_await answer.run();
  } else if (reset && method == "POST") {
    state_.meter.reset();
    state_.memory.reset();
    (void)co_await exchange.reply(200, kJson, "{}\n");
  } else if (endpoint || reset || method != "GET") {
    const std::string_view allowed = endpoint || reset ? "POST" : "GET";
    LabError error = lab_error_of_status(405);
    error.message = fmt::format("Not allowed to {} on {}; use {}.", method, path, allowed);
    co_await reply_error(exchange, fmt::format("Allow: {}\r\n", allowed), std::move(error));
  } else {
    co_await get(exchange, path);
  }
}

}  // namespace sluice::providers
