#include "api/admin_api.h"

#include <memory>
#include <utility>

#include "api/admin_routes.h"
#include "api/reply.h"
#include "wire/openai.h"

namespace sluice::api {
namespace {

constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kIndex =
    "Sluice admin\n\n"
    "  /metrics   Prometheus metrics\n"
    "  /readyz    whether this instance wants traffic, with reasons\n"
    "  /livez     whether the process lives\n"
    "  /version   what is running\n"
    "  /admin/v1  keys, teams, organisations, budgets, audit (with an admin token)\n";
constexpr std::string_view kProblem = "application/problem+json";
constexpr std::string_view kAdminPath = "/admin/v1";

// One call on its way to the control thread and back. Whichever side is the last to need it lets it
// go: the client may be gone before the answer is there.
struct PendingCall {
  AdminRequest request;
  AdminAnswer answer;
  net::Bell answered;
};

bool asks_control(std::string_view path) {
  return path == kAdminPath || path.starts_with(std::string(kAdminPath) + "/");
}

AdminRequest request_of(const net::ServerExchange& http, std::string_view body) {
  const net::RequestHead& head = http.head();
  AdminRequest request{.method = std::string(head.method),
                       .path = std::string(trimmed_path(head.path())),
                       .query = "",
                       .token = "",
                       .if_match = std::string(head.headers.find("if-match").value_or("")),
                       .body = std::string(body),
                       .peer = http.peer()};
  if (const size_t mark = head.target.find('?'); mark != std::string_view::npos)
    request.query = std::string(head.target.substr(mark + 1));
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = head.headers.find("authorization").value_or("");
  if (net::begins_with_name(authorization, kBearer))
    request.token = std::string(authorization.substr(kBearer.size()));
  return request;
}

std::string headers_of(const AdminAnswer& answer) {
  std::string headers;
  if (!answer.body.empty())
    net::append_header(headers, "content-type", answer.status < 400 ? kJson : kProblem);
  // Replies may hold a key that is shown once.
  net::append_header(headers, "cache-control", "no-store");
  if (answer.revision)
    net::append_header(headers, "etag", "\"" + std::to_string(*answer.revision) + "\"");
  if (answer.status == 401) net::append_header(headers, "www-authenticate", "Bearer");
  return headers;
}

}  // namespace

Task<void> AdminApi::handle_admin(net::ServerExchange& http) {
  const Result<std::string_view> body = co_await http.body();
  if (!body) {
    co_await send_error(http, body.error());
    co_return;
  }
  const auto call = std::make_shared<PendingCall>();
  call->request = request_of(http, *body);
  net::Loop& loop = http.loop();
  const bool taken = control_.post([call, &loop, &control = control_] {
    call->answer = answer_admin(control, call->request);
    loop.post([call] { call->answered.ring(); });
  });
  if (taken) {
    const Until answer = Until::forever();
    co_await call->answered.listen(loop, answer);
  } else {
    call->answer = problem(503, "unavailable", "the gateway is stopping, or too much waits");
  }
  const std::string headers = headers_of(call->answer);
  [[maybe_unused]] const Result<void> sent =
      co_await http.reply(call->answer.status, headers, call->answer.body);
}

Task<void> AdminApi::handle(net::ServerExchange& http) {
  const std::string_view path = trimmed_path(http.head().path());
  if (asks_control(path)) {
    co_await handle_admin(http);
  } else if (http.head().method != "GET" && http.head().method != "HEAD") {
    std::string headers;
    net::append_header(headers, "allow", "GET, HEAD");
    const Error error(Outcome::MethodNotAllowed, "only GET and HEAD are served here");
    co_await send_error(http, error, std::move(headers));
  } else if (Health::answers(path)) {
    co_await health_.reply(http, path);
  } else if (path == "/metrics") {
    co_await send_text(http, 200, kExposition, metrics_());
  } else if (path == "/") {
    co_await send_text(http, 200, kText, std::string(kIndex));
  } else {
    const Error error(Outcome::NotFound, "there is no such page; / lists those there are");
    co_await send_error(http, error);
  }
}

std::string AdminApi::refuse(Outcome outcome, std::string_view reason) {
  return openai::encode_error(Error(outcome, std::string(reason)));
}

}  // namespace sluice::api
