#include "api/health.h"

#include <algorithm>
#include <utility>

#include "api/reply.h"
#include "base/text_out.h"

namespace sluice::api {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

std::string readiness(const std::vector<HealthCheck>& checks, bool ready) {
  std::string body =
      ready ? R"({"status":"ready","checks":{)" : R"({"status":"not ready","checks":{)";
  for (size_t i = 0; i < checks.size(); ++i) {
    if (i > 0) body += ',';
    body += quoted(checks[i].name) + ':' + quoted(checks[i].ok ? "ok" : checks[i].reason);
  }
  return body + "}}\n";
}

}  // namespace

bool Health::answers(std::string_view path) {
  return path == "/livez" || path == "/readyz" || path == "/version";
}

Task<void> Health::reply(net::ServerExchange& http, std::string_view path) const {
  if (path == "/livez") {
    co_await send_text(http, 200, kJson, "{\"status\":\"alive\"}\n");
  } else if (path == "/version") {
    co_await send_text(http, 200, kJson,
                       "{\"name\":\"sluice\",\"version\":" + quoted(version_) + "}\n");
  } else {
    const std::vector<HealthCheck> checks = checks_();
    const bool ready = std::all_of(checks.begin(), checks.end(),
                                   [](const HealthCheck& c) { return c.ok || !c.vital; });
    co_await send_text(http, ready ? 200 : 503, kJson, readiness(checks, ready));
  }
}

}  // namespace sluice::api
