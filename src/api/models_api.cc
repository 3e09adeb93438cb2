#include "api/models_api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/reply.h"
#include "base/nearest.h"
#include "gateway/caller.h"
#include "gateway/pipeline.h"
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

struct Shown {
  std::string name;
  std::string owner;
};

// What this visitor may ask for, in the order of the configuration, then of the lists.
std::vector<Shown> shown_to(const gateway::Visitor& visitor, const gateway::Snapshot& snapshot,
                            const gateway::ListedModels& listed) {
  std::vector<Shown> shown;
  for (const std::string& name : snapshot.router.names()) {
    if (gateway::may_name(visitor, snapshot, name))
      shown.push_back({name, owner_of(snapshot, name)});
  }
  for (const gateway::ListedModels::Model& model : listed.models) {
    if (gateway::may_use(visitor, snapshot, model.name))
      shown.push_back({model.name, model.provider});
  }
  return shown;
}

std::string openai_list(const std::vector<Shown>& shown) {
  std::vector<openai::Model> models;
  for (const Shown& each : shown)
    models.push_back({.id = each.name, .created = 0, .owned_by = each.owner});
  return openai::encode_models(models);
}

std::string anthropic_list(const std::vector<Shown>& shown) {
  std::vector<anthropic::Model> models;
  for (const Shown& each : shown) models.push_back({.id = each.name});
  return anthropic::encode_models(models);
}

Error unknown(const std::vector<Shown>& shown, const std::string& id) {
  std::vector<std::string> names;
  for (const Shown& each : shown) names.push_back(each.name);
  const std::vector<std::string> near = nearest(id, names, 1);
  std::string message = "the model '" + id.substr(0, 128) + "' is not in the list";
  if (!near.empty()) message += "; did you mean '" + near.front() + "'?";
  return Error(Outcome::NotFound, std::move(message), "model");
}

}  // namespace

Task<void> list_models(gateway::Shared& shared, net::ServerExchange& http) {
  Result<gateway::Visitor> visitor = gateway::visitor_of(shared, http);
  if (!visitor) return gateway::refuse(shared, http, std::move(visitor).error());
  const std::vector<Shown> shown = shown_to(*visitor, *shared.snapshot, *shared.listed);
  std::string body = speaks_anthropic(http) ? anthropic_list(shown) : openai_list(shown);
  return send_text(http, 200, kJson, std::move(body));
}

Task<void> describe_model(gateway::Shared& shared, net::ServerExchange& http,
                          const std::string& id) {
  Result<gateway::Visitor> visitor = gateway::visitor_of(shared, http);
  if (!visitor) return gateway::refuse(shared, http, std::move(visitor).error());
  const std::vector<Shown> shown = shown_to(*visitor, *shared.snapshot, *shared.listed);
  const auto found = std::ranges::find(shown, id, &Shown::name);
  if (found == shown.end()) return gateway::refuse(shared, http, unknown(shown, id));
  std::string body = speaks_anthropic(http)
                         ? anthropic::encode_model({.id = id})
                         : openai::encode_model({.id = id, .created = 0, .owned_by = found->owner});
  return send_text(http, 200, kJson, std::move(body));
}

}  // namespace sluice::api
