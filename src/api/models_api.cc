#include "api/models_api.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/reply.h"
#include "base/nearest.h"
#include "wire/anthropic.h"
#include "wire/openai.h"

namespace sluice::api {
namespace {

bool speaks_anthropic(const net::ServerExchange& http) {
  return http.head().headers.find("anthropic-version").has_value();
}

// A model is its provider's; a name of the configuration is ours.
std::string owner_of(const gateway::Snapshot& snapshot, const std::string& name) {
  const routing::Route* route = snapshot.router.find(name);
  if (route == nullptr || !route->alias.empty()) return "sluice";
  return snapshot.upstreams[route->targets.front().provider]->name();
}

// Nothing: no such model is shown.
std::optional<std::string> owner_of(const gateway::Snapshot& snapshot,
                                    const gateway::ListedModels& listed, const std::string& name) {
  const std::vector<std::string>& names = snapshot.router.names();
  if (std::ranges::find(names, name) != names.end()) return owner_of(snapshot, name);
  const auto found = std::ranges::find(listed.models, name, &gateway::ListedModels::Model::name);
  if (found == listed.models.end()) return std::nullopt;
  return found->provider;
}

std::string openai_list(const gateway::Snapshot& snapshot, const gateway::ListedModels& listed) {
  std::vector<std::string> owners;
  std::vector<openai::Model> models;
  const std::vector<std::string>& names = snapshot.router.names();
  owners.reserve(names.size());
  for (const std::string& name : names) {
    owners.push_back(owner_of(snapshot, name));
    models.push_back({.id = name, .created = 0, .owned_by = owners.back()});
  }
  for (const auto& model : listed.models)
    models.push_back({.id = model.name, .created = 0, .owned_by = model.provider});
  return openai::encode_models(models);
}

std::string anthropic_list(const gateway::Snapshot& snapshot, const gateway::ListedModels& listed) {
  std::vector<anthropic::Model> models;
  for (const std::string& name : snapshot.router.names()) models.push_back({.id = name});
  for (const auto& model : listed.models) models.push_back({.id = model.name});
  return anthropic::encode_models(models);
}

Error unknown(const gateway::Snapshot& snapshot, const std::string& id) {
  const std::vector<std::string> near = nearest(id, snapshot.router.names(), 1);
  std::string message = "the model '" + id.substr(0, 128) + "' is not in the list";
  if (!near.empty()) message += "; did you mean '" + near.front() + "'?";
  return Error(Outcome::NotFound, std::move(message), "model");
}

}  // namespace

Task<void> list_models(gateway::Shared& shared, net::ServerExchange& http) {
  const std::shared_ptr<const gateway::Snapshot> snapshot = shared.snapshot;
  const std::shared_ptr<const gateway::ListedModels> listed = shared.listed;
  std::string body =
      speaks_anthropic(http) ? anthropic_list(*snapshot, *listed) : openai_list(*snapshot, *listed);
  co_await send_text(http, 200, kJson, std::move(body));
}

Task<void> describe_model(gateway::Shared& shared, net::ServerExchange& http, std::string id) {
  const std::shared_ptr<const gateway::Snapshot> snapshot = shared.snapshot;
  const std::optional<std::string> owner = owner_of(*snapshot, *shared.listed, id);
  if (!owner) {
    const Error error = unknown(*snapshot, id);
    co_await send_error(http, error);
    co_return;
  }
  const openai::Model model{.id = id, .created = 0, .owned_by = *owner};
  std::string body = openai::encode_model(model);
  if (speaks_anthropic(http)) {
    const anthropic::Model other{.id = id};
    body = anthropic::encode_model(other);
  }
  co_await send_text(http, 200, kJson, std::move(body));
}

}  // namespace sluice::api
