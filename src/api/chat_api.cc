#include "api/chat_api.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "api/models_api.h"
#include "api/reply.h"
#include "api/usage_api.h"
#include "base/nearest.h"
#include "base/percent.h"
#include "wire/openai.h"

namespace sluice::api {
namespace {

struct Route {
  std::string_view method;
  std::string_view path;
  chat::Endpoint endpoint;
};

// Clients whose base URL lacks the /v1 are understood too: see without_version().
constexpr std::array<Route, 6> kPosts{{
    {"POST", "/v1/chat/completions", chat::Endpoint::Chat},
    {"POST", "/v1/completions", chat::Endpoint::Completions},
    {"POST", "/v1/embeddings", chat::Endpoint::Embeddings},
    {"POST", "/v1/responses", chat::Endpoint::Responses},
    {"POST", "/v1/messages", chat::Endpoint::Messages},
    {"POST", "/v1/messages/count_tokens", chat::Endpoint::CountTokens},
}};
constexpr std::string_view kStored = "/v1/responses/";
// Of the same API, and no ids of responses.
constexpr std::array<std::string_view, 2> kNoIds{"compact", "input_tokens"};
constexpr std::string_view kModels = "/v1/models";
constexpr std::string_view kUsage = "/v1/usage";
constexpr std::string_view kVersion = "/v1";

bool is_path(std::string_view asked, std::string_view path) {
  return asked == path || asked == path.substr(kVersion.size());
}

// What can be asked of a path below "/v1/responses/": of the calls of one path all methods.
// Nothing: there is no such path.
std::vector<const gateway::StoredCall*> stored_calls_at(std::string_view path) {
  if (path.starts_with(kVersion)) path.remove_prefix(kVersion.size());
  constexpr std::string_view prefix = kStored.substr(kVersion.size());
  std::vector<const gateway::StoredCall*> calls;
  if (!path.starts_with(prefix)) return calls;
  path.remove_prefix(prefix.size());
  const std::string_view id = path.substr(0, path.find('/'));
  if (std::find(kNoIds.begin(), kNoIds.end(), id) != kNoIds.end()) return calls;
  for (const gateway::StoredCall& call : gateway::kStoredCalls) {
    if (path.substr(id.size()) == call.path) calls.push_back(&call);
  }
  return calls;
}

// The rest behind "/v1/models/" or "/models/", percent-decoded (SDKs encode the slash in an id);
// empty if it is neither.
std::string model_id_in(std::string_view path) {
  if (path.starts_with(kVersion)) path.remove_prefix(kVersion.size());
  constexpr std::string_view prefix = "/models/";
  if (!path.starts_with(prefix)) return "";
  path.remove_prefix(prefix.size());
  return percent_decoded(path);
}

Task<void> method_not_allowed(gateway::Shared& shared, net::ServerExchange& http,
                              std::string_view allowed) {
  std::string headers;
  net::append_header(headers, "allow", allowed);
  Error error(Outcome::MethodNotAllowed, std::string(http.head().method.substr(0, 32)) +
                                             " is not allowed here; use " + std::string(allowed));
  return gateway::refuse(shared, http, std::move(error), std::move(headers));
}

// Balancers and coding agents knock at the door before they use it.
Task<void> greet(net::ServerExchange& http) {
  return send_text(http, 200, kJson, "{\"name\":\"sluice\"}\n");
}

Task<void> allow(net::ServerExchange& http, std::string methods) {
  std::string headers;
  net::append_header(headers, "allow", methods);
  [[maybe_unused]] const Result<void> sent = co_await http.reply(204, headers, "");
}

}  // namespace

Task<void> ChatApi::handle(net::ServerExchange& http) {
  const std::string_view path = trimmed_path(http.head().path());
  const std::string_view method = http.head().method;
  const bool asks = method == "OPTIONS";
  for (const Route& route : kPosts) {
    if (!is_path(path, route.path)) continue;
    if (asks) return allow(http, "POST, OPTIONS");
    if (method != route.method) return method_not_allowed(shared_, http, route.method);
    return gateway::serve(shared_, http, route.endpoint);
  }
  const auto stored = stored_calls_at(path);
  return stored.empty() ? read(http, path) : ask_stored(http, stored);
}

Task<void> ChatApi::ask_stored(net::ServerExchange& http,
                               const std::vector<const gateway::StoredCall*>& calls) {
  std::string allowed;
  for (const gateway::StoredCall* call : calls) {
    if (call->method == http.head().method) return gateway::serve_stored(shared_, http, *call);
    allowed.append(allowed.empty() ? "" : ", ").append(call->method);
  }
  if (http.head().method == "OPTIONS") return allow(http, allowed + ", OPTIONS");
  return method_not_allowed(shared_, http, allowed);
}

// What is only looked at.
Task<void> ChatApi::read(net::ServerExchange& http, std::string_view path) {
  const std::string_view method = http.head().method;
  const bool health = Health::answers(path);
  const bool models = is_path(path, kModels);
  const bool usage = is_path(path, kUsage);
  const std::string model = model_id_in(path);
  const bool root = path == "/" || path == kVersion;
  if (!health && !models && !usage && !root && model.empty()) return no_such_route(http, path);
  if (method == "OPTIONS") return allow(http, "GET, HEAD, OPTIONS");
  if (method != "GET" && method != "HEAD") return method_not_allowed(shared_, http, "GET, HEAD");
  if (health) return health_.reply(http, path);
  if (models) return list_models(shared_, http);
  if (usage) return show_usage(shared_, http);
  if (root) return greet(http);
  return describe_model(shared_, http, model);
}

std::string ChatApi::refuse(Outcome outcome, std::string_view reason) {
  std::string message(reason);
  if (outcome == Outcome::HeadTooLarge) message += " (server.max_head, server.max_headers)";
  const Error error(outcome, std::move(message));
  gateway::book_refusal(shared_, error);
  return openai::encode_error(error);
}

Task<void> ChatApi::no_such_route(net::ServerExchange& http, std::string_view path) {
  std::string message = "there is no " + std::string(path.substr(0, 128));
  if (path.starts_with("/v1/v1")) {
    message += "; the path holds /v1 twice: did you mean " + std::string(path.substr(3, 128)) +
               "? Set the client's base URL to end in one /v1";
  } else {
    std::vector<std::string> known;
    for (const Route& route : kPosts) known.emplace_back(route.path);
    known.emplace_back(kModels);
    known.emplace_back(kUsage);
    const std::vector<std::string> near = nearest(path, known, 1);
    if (!near.empty()) message += "; did you mean " + near.front() + "?";
  }
  return gateway::refuse(shared_, http, Error(Outcome::NotFound, std::move(message)));
}

}  // namespace sluice::api
