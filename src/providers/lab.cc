#include "providers/lab.h"

#include <charconv>
#include <fmt/format.h>

#include "base/text_out.h"
#include "providers/lab_answer.h"
#include "providers/lab_faults.h"
#include "providers/lab_models.h"
#include "providers/lab_openai_face.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kJson = "Content-Type: application/json\r\n";
constexpr std::string_view kEvents = "Content-Type: text/event-stream; charset=utf-8\r\n";
constexpr std::string_view kLines = "Content-Type: application/x-ndjson\r\n";
constexpr std::string_view kStatements = "/snowflake/api/v2/statements";
constexpr std::string_view kText = "Content-Type: text/plain; charset=utf-8\r\n";

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

std::string_view query_of(std::string_view target) {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

std::string front_page() {
  std::string out =
      "This is the Sluice lab: a fake provider. No model is asked. Any key is good, but one that\n"
      "begins with \"invalid\".\n\n"
      "  POST /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses\n"
      "  POST /anthropic/v1/messages, /anthropic/v1/messages/count_tokens\n"
      "  GET  /v1/models, /anthropic/v1/models\n"
      "  /snowflake/api/v2/cortex, /portkey/v1, /openrouter/api/v1, /api/esc: see docs/lab.md\n"
      "  GET  /lab/requests?since=N  a line for each finished request\n"
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
  return lab_openai_error_body(error, "");
}

Task<void> Lab::reply_error(net::ServerExchange& exchange, const LabFace& face,
                            std::string_view headers, LabError error) {
  const std::string lines = std::string(kJson) + std::string(headers);
  const std::string body =
      face.error_body(error, fmt::format("req_lab_{:012x}", ++state_.requests));
  // A client that is gone needs no answer.
  (void)co_await exchange.reply(error.status, lines, body);
}

Lab::Page Lab::page(std::string_view path, std::string_view query) const {
  if (path == "/" || path.empty()) return {kText, front_page()};
  if (path == "/lab/meter") return {kJson, state_.meter.json()};
  if (path == "/lab/last") return {kJson, state_.memory.last_json()};
  if (path == "/lab/sql/log") return {kLines, state_.sql.log()};
  if (path == "/lab/sql/rows") {
    constexpr std::string_view kTable = "table=";
    if (query.starts_with(kTable)) query.remove_prefix(kTable.size());
    return {kLines, state_.sql.rows(query)};
  }
  if (path == "/lab/requests") {
    constexpr std::string_view kSince = "since=";
    uint64_t since = 0;
    if (query.starts_with(kSince)) {
      query.remove_prefix(kSince.size());
      std::from_chars(query.data(), query.data() + query.size(), since);
    }
    return {kLines, state_.log.lines(since)};
  }
  return {};
}

Task<void> Lab::sql(net::ServerExchange& exchange, std::string_view handle) {
  const net::Headers& headers = exchange.head().headers;
  state_.memory.keep_last(exchange.head(), "");
  const Result<std::string_view> body = co_await exchange.body();
  if (!body) co_return;
  LabSqlAnswer answer;
  const auto refusal = state_.options.snowflake.refusal(
      headers.find("authorization").value_or(""),
      headers.find("x-snowflake-authorization-token-type").value_or(""),
      exchange.loop().clock().wall_micros() / 1'000'000);
  if (refusal) {
    state_.memory.note_last(refusal->reason);
    answer.status = refusal->status;
    answer.body = R"({"code":")" + refusal->code + R"(","message":)";
    append_json(answer.body, refusal->message);
    answer.body += '}';
  } else {
    LabSqlCall call;
    call.method = exchange.head().method;
    call.handle = handle;
    call.query = query_of(exchange.head().target);
    call.content_type = headers.find("content-type").value_or("");
    call.user_agent = headers.find("user-agent").value_or("");
    call.body = *body;
    answer = state_.sql.answer(call);
  }
  if (answer.wait_ms > 0) {
    const Until end(exchange.loop().after(answer.wait_ms * kMillisecond), &exchange.cancel());
    const net::Wake why = co_await net::Sleep(exchange.loop(), end);
    if (why == net::Wake::Cancelled) co_return;
  }
  if (answer.lost) {
    exchange.raw();
    exchange.abort_stream();
    co_return;
  }
  (void)co_await exchange.reply(answer.status, kJson, answer.body);
}

// Responses that were stored.
Task<void> Lab::stored(net::ServerExchange& exchange, const LabRoute& route) {
  state_.memory.keep_last(exchange.head(), "");
  LabRequest request;
  std::optional<LabError> error = route.face->check_head(exchange.head(), request);
  std::string body;
  bool is_stream = false;
  if (!error) {
    LabResponses::Answer answer =
        state_.responses.answer({.method = exchange.head().method,
                                 .path = route.rest,
                                 .query = query_of(exchange.head().target),
                                 .credential = request.credential,
                                 .now = exchange.loop().now()});
    body = std::move(answer.body);
    is_stream = answer.is_stream;
    error = std::move(answer.error);
  }
  if (error) {
    const std::string headers = error->headers;
    co_await reply_error(exchange, *route.face, headers, *std::move(error));
    co_return;
  }
  (void)co_await exchange.reply(200, is_stream ? kEvents : kJson, body);
}

Task<void> Lab::esc(net::ServerExchange& exchange) {
  const net::RequestHead& head = exchange.head();
  state_.memory.keep_last(head, "");
  const LabEsc::Answer answer = state_.esc.answer(head.method, head.path(), query_of(head.target),
                                                  head.headers.find("authorization").value_or(""),
                                                  state_.options.esc, exchange.loop().now());
  (void)co_await exchange.reply(answer.status, kJson, answer.body);
}

Task<void> Lab::get(net::ServerExchange& exchange, const LabRoute& route) {
  constexpr std::string_view kModels = "/models";
  std::string body;
  LabError error = lab_error_of_status(404);
  error.code.clear();
  error.param.clear();
  error.message = fmt::format("Unknown request URL: GET {}.", exchange.head().path());
  const std::string request_id = fmt::format("req_lab_{:012x}", ++state_.requests);
  LabRequest request;
  request.arrival.head = &exchange.head();
  request.arrival.options = &state_.options;
  request.arrival.request_id = request_id;
  request.arrival.wall_seconds = exchange.loop().clock().wall_micros() / 1'000'000;
  std::optional<LabPage> own;
  if (route.face->page != nullptr) own = route.face->page(route.rest, request);
  if (own) {
    if (!request.refusal_reason.empty()) {
      state_.memory.keep_last(exchange.head(), "");
      state_.memory.note_last(request.refusal_reason);
    }
    const std::string headers = std::string(kJson) + own->headers;
    (void)co_await exchange.reply(own->status, headers, own->body);
    co_return;
  }
  const bool listed = route.rest.starts_with(kModels);
  std::optional<LabError> barred;
  if (listed) barred = route.face->check_head(exchange.head(), request);
  if (barred) {
    error = *std::move(barred);
  } else if (route.rest == kModels) {
    body = route.face->models(query_of(exchange.head().target));
  } else if (route.rest.starts_with("/models/")) {
    const std::string name = percent_decoded(route.rest.substr(kModels.size() + 1));
    const LabModel* const model = lab_model(name);
    if (model != nullptr) body = route.face->model(*model) + "\n";
    error = route.face->no_model(name, "GET / lists the lab's models and faults.");
  }
  if (body.empty()) {
    co_await reply_error(exchange, *route.face, "", std::move(error));
    co_return;
  }
  (void)co_await exchange.reply(200, kJson, body);
}

Task<void> Lab::handle(net::ServerExchange& exchange) {
  const std::string_view method = exchange.head().method;
  const std::string_view path = exchange.head().path();
  const LabRoute route = lab_route(path);
  const bool reset = path == "/lab/meter/reset";
  const bool asks = method == "GET";
  const Page own = asks ? page(path, query_of(exchange.head().target)) : Page();
  const bool of_response = route.face->name == "openai" && route.rest.starts_with("/responses/");
  if (path == kStatements) {
    co_await sql(exchange, "");
  } else if (path.starts_with(kStatements) && path[kStatements.size()] == '/') {
    co_await sql(exchange, path.substr(kStatements.size() + 1));
  } else if (!own.type.empty()) {
    (void)co_await exchange.reply(200, own.type, own.body);
  } else if (path.starts_with("/api/esc/")) {
    co_await esc(exchange);
  } else if (of_response && !route.endpoint) {
    co_await stored(exchange, route);
  } else if (route.endpoint && method == "POST") {
    LabAnswer answer(exchange, state_, parser_, seed_, *route.face, *route.endpoint);
    co_await answer.run();
  } else if (reset && method == "POST") {
    state_.meter.reset();
    state_.memory.reset();
    state_.prompts.reset();
    state_.responses.reset();
    state_.log.reset();
    state_.sql.reset();
    (void)co_await exchange.reply(200, kJson, "{}\n");
  } else if (route.endpoint || reset || !asks) {
    const std::string_view allowed = route.endpoint || reset ? "POST" : "GET";
    LabError error = lab_error_of_status(405);
    error.message = fmt::format("Not allowed to {} on {}; use {}.", method, path, allowed);
    co_await reply_error(exchange, *route.face, fmt::format("Allow: {}\r\n", allowed),
                         std::move(error));
  } else {
    co_await get(exchange, route);
  }
}

}  // namespace sluice::providers
