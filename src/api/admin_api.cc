#include "api/admin_api.h"

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
    "  /version   what is running\n";

}  // namespace

Task<void> AdminApi::handle(net::ServerExchange& http) {
  const std::string_view path = trimmed_path(http.head().path());
  if (http.head().method != "GET" && http.head().method != "HEAD") {
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
