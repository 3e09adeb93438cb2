#include "api/chat_api.h"

#include <array>
#include <utility>
#include <vector>

#include "api/reply.h"
#include "base/nearest.h"
#include "wire/openai.h"

namespace sluice::api {
namespace {

struct Route {
  std::string_view method;
  std::string_view path;
  chat::Endpoint endpoint;
};

// Clients whose base URL lacks the /v1 are understood too: see without_version().
constexpr std::array<Route, 3> kPosts{{
    {"POST", "/v1/chat/completions", chat::Endpoint::Chat},
    {"POST", "/v1/completions", chat::Endpoint::Completions},
    {"POST", "/v1/embeddings", chat::Endpoint::Embeddings},
}};
constexpr std::string_view kModels = "/v1/models";
constexpr std::string_view kVersion = "/v1";

bool is_path(std::string_view asked, std::string_view path) {
  return asked == path || asked == path.substr(kVersion.size());
}

// The rest behind "/v1/models/" or "/models/", percent-decoded (SDKs encode the slash in an id);
// empty if it is neither.
std::string model_id_in(std::string_view path) {
  if (path.starts_with(kVersion)) path.remove_prefix(kVersion.size());
  constexpr std::string_view prefix = "/models/";
  if (!path.starts_with(prefix)) return "";
  path.remove_prefix(prefix.size());
  std::string id;
  for (size_t i = 0; i < path.size(); ++i) {
    const auto digit = [](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      return -1;
    };
    if (path[i] == '%' && i + 2 < path.size() && digit(path[i + 1]) >= 0 &&
        digit(path[i + 2]) >= 0) {
      id += static_cast<char>(digit(path[i + 1]) * 16 + digit(path[i + 2]));
      i += 2;
    } else {
      id += path[i];
    }
  }
  return id;
}

Task<void> method_not_allowed(gateway::Shared& shared, net::ServerExchange& http,
                              std::string_view allowed) {
  std::string headers;
  net::append_header(headers, "allow", allowed);
  Error error(Outcome::MethodNotAllowed, std::string(http.head().method.substr(0, 32)) +
                                             " is not allowed here; use " + std::string(allowed));
  return gateway::refuse(shared, http, std::move(error), std::move(headers));
}

std::string owner_of(const gateway::Snapshot& snapshot, const routing::Route& route) {
  return route.alias.empty() ? snapshot.upstreams[route.targets.front().provider]->name()
                             : "sluice";
}

}  // namespace

Task<void> ChatApi::handle(net::ServerExchange& http) {
  const std::string_view path = trimmed_path(http.head().path());
  const std::string_view method = http.head().method;
  for (const Route& route : kPosts) {
    if (!is_path(path, route.path)) continue;
    if (method != route.method) return method_not_allowed(shared_, http, route.method);
    return gateway::serve(shared_, http, route.endpoint);
  }
  const bool reading = method == "GET" || method == "HEAD";
  if (Health::answers(path)) {
    return reading ? health_.reply(http, path) : method_not_allowed(shared_, http, "GET, HEAD");
  }
  if (is_path(path, kModels)) {
    return reading ? list_models(http) : method_not_allowed(shared_, http, "GET, HEAD");
  }
  if (!model_id_in(path).empty()) {
    return reading ? describe_model(http, path) : method_not_allowed(shared_, http, "GET, HEAD");
  }
  return no_such_route(http, path);
}

std::string ChatApi::refuse(Outcome outcome, std::string_view reason) {
  std::string message(reason);
  if (outcome == Outcome::HeadTooLarge) message += " (server.max_head, server.max_headers)";
  const Error error(outcome, std::move(message));
  gateway::book_refusal(shared_, error);
  return openai::encode_error(error);
}

Task<void> ChatApi::list_models(net::ServerExchange& http) {
  const std::shared_ptr<const gateway::Snapshot> snapshot = shared_.snapshot;
  std::vector<std::string> owners;
  const std::vector<std::string>& names = snapshot->router.names();
  owners.reserve(names.size());
  std::vector<openai::Model> models;
  for (const std::string& name : names) {
    owners.push_back(owner_of(*snapshot, *snapshot->router.find(name)));
    models.push_back(openai::Model{.id = name, .created = 0, .owned_by = owners.back()});
  }
  co_await send_text(http, 200, kJson, openai::encode_models(models));
}

Task<void> ChatApi::describe_model(net::ServerExchange& http, std::string_view path) {
  const std::shared_ptr<const gateway::Snapshot> snapshot = shared_.snapshot;
  const std::string id = model_id_in(path);
  const routing::Route* route = snapshot->router.find(id);
  if (route == nullptr) {
    const std::vector<std::string> near = nearest(id, snapshot->router.names(), 1);
    std::string message = "the model '" + id.substr(0, 128) + "' is not in the list";
    if (!near.empty()) message += "; did you mean '" + near.front() + "'?";
    const Error error(Outcome::NotFound, std::move(message), "model");
    co_await send_error(http, error);
    co_return;
  }
  const std::string owner = owner_of(*snapshot, *route);
  const openai::Model model{.id = id, .created = 0, .owned_by = owner};
  std::string body = openai::encode_model(model);
  co_await send_text(http, 200, kJson, std::move(body));
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
    const std::vector<std::string> near = nearest(path, known, 1);
    if (!near.empty()) message += "; did you mean " + near.front() + "?";
  }
  return gateway::refuse(shared_, http, Error(Outcome::NotFound, std::move(message)));
}

}  // namespace sluice::api
