#include "app/commands/import_portkey_target.h"

#include <fmt/format.h>
#include <utility>

#include "app/config_reader.h"

namespace sluice::app {
namespace {

const std::vector<std::string> kTaken = {std::string(kPortkeyRoute)};

// The variable that will hold a target's key; empty: it has none.
std::string key_variable(const Node& map, const Vendor* vendor, const std::string& name,
                         Draft& draft) {
  if (vendor != nullptr && !vendor->key_env.empty())
    return draft.variable_for(std::string(vendor->key_env), text_of_member(map, "api_key"));
  if (member(map, "api_key") == nullptr) return "";
  return draft.variable_for(variable_name(name, "_API_KEY"), text_of_member(map, "api_key"));
}

// The keys of its vault never leave Portkey, so it stays in between.
std::string through_portkey(const std::string& path, const std::string& slug,
                            const std::string& model, const PortkeyInherited& from, Draft& draft) {
  const std::string name = draft.provider({.name = "portkey",
                                           .kind = "portkey",
                                           .preset = "",
                                           .base_url = "",
                                           .key_variable = "PORTKEY_API_KEY",
                                           .vendor = "",
                                           .pass_headers = from.forward_headers},
                                          kTaken);
  if (model.empty() || check_word(Word::Model, slug)) {
    draft.note(Fate::Differs, path, "callers name the model as @slug/model");
    return name + "/*";
  }
  draft.note(Fate::Carried, path, "its key stays with Portkey, which is asked for it");
  return fmt::format("{}/@{}/{}", name, slug, model);
}

void azure(const Node& map, const std::string& path, DraftProvider& provider, Draft& draft) {
  if (provider.preset != "azure") return;
  for (const auto* key : {"resource_name", "azure_resource_name"}) {
    const std::string resource = text_of_member(map, key);
    if (resource.empty()) continue;
    draft.note(Fate::Carried, below(path, key), "base_url");
    provider.base_url =
        draft.url(below(path, key), fmt::format("https://{}.openai.azure.com/openai/v1", resource),
                  "AZURE_OPENAI_BASE_URL");
  }
  for (const auto* key :
       {"deployment_id", "azure_deployment_id", "api_version", "azure_api_version"})
    if (member(map, key) != nullptr)
      draft.note(Fate::Differs, below(path, key),
                 "Azure's v1 API is used: no version, and the model is the deployment's name");
  if (provider.base_url.empty()) provider.base_url = draft.variable("AZURE_OPENAI_BASE_URL");
}

// How Sluice reaches the vendor: by itself, as a compatible server, or by a Portkey gateway.
void service(const Node& map, const std::string& path, const Vendor* vendor,
             DraftProvider& provider, Draft& draft) {
  const std::string host = text_of_member(map, "custom_host");
  if (!host.empty()) {
    provider.base_url =
        draft.url(below(path, "custom_host"), host, variable_name(provider.name, "_BASE_URL"));
    draft.note(Fate::Carried, below(path, "custom_host"), "base_url");
  }
  if (vendor != nullptr) {
    provider.kind = vendor->kind;
    provider.preset = vendor->preset;
    draft.note(Fate::Carried, below(path, "provider"), "a provider");
  } else if (!host.empty()) {
    provider.kind = "openai";
    draft.note(Fate::Differs, below(path, "provider"),
               "spoken to as to any OpenAI-compatible server");
  } else {
    provider.kind = "portkey";
    provider.vendor = provider.name;
    provider.base_url = draft.variable("PORTKEY_GATEWAY_URL");
    draft.note(Fate::Differs, below(path, "provider"),
               "Sluice does not speak to it itself: a Portkey gateway of your own does, at "
               "PORTKEY_GATEWAY_URL");
  }
  azure(map, path, provider, draft);
}

std::string direct(const Node& map, const std::string& path, const PortkeyInherited& from,
                   Draft& draft) {
  const std::string name = text_of_member(map, "provider");
  const Vendor* const vendor = vendor_named(name);
  DraftProvider provider;
  provider.name = check_word(Word::Name, name) ? "provider" : name;
  provider.pass_headers = from.forward_headers;
  provider.key_variable = key_variable(map, vendor, provider.name, draft);
  service(map, path, vendor, provider, draft);
  if (member(map, "api_key") != nullptr)
    draft.note(Fate::Carried, below(path, "api_key"),
               "read from the variable " + provider.key_variable);
  return draft.provider(std::move(provider), kTaken);
}

}  // namespace

std::string portkey_target(const Node& map, const std::string& path, const PortkeyInherited& from,
                           Draft& draft) {
  std::string key = "virtual_key";
  std::string slug = text_of_member(map, "virtual_key");
  std::string model = from.model;
  if (const std::string vendor = text_of_member(map, "provider"); vendor.starts_with('@')) {
    key = "provider";
    slug = vendor.substr(1);
  }
  // "@slug/model" says both.
  if (const size_t slash = model.find('/'); model.starts_with('@') && slash != std::string::npos) {
    key = "override_params.model";
    slug = model.substr(1, slash - 1);
    model = model.substr(slash + 1);
  }
  if (!slug.empty()) return through_portkey(below(path, key), slug, model, from, draft);
  return direct(map, path, from, draft) + "/" + (model.empty() ? "*" : model);
}

}  // namespace sluice::app
