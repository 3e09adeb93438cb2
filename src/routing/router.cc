#include "routing/router.h"

#include <algorithm>

#include "base/nearest.h"

namespace sluice::routing {
namespace {

const std::string kOther = "*";

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "'" + names[i] + "'";
  }
  return text;
}

}  // namespace

Result<Router> Router::make(const RouterOptions& options) {
  Router router(options);
  if (options.providers.empty())
    return Error(Outcome::BadRequest, "no provider is configured", "providers");
  // Among several, a mistyped name must not reach whichever happens to stand first.
  if (options.providers.size() == 1) router.default_provider_ = 0;
  if (!options.default_provider.empty()) {
    const auto found =
        std::find_if(options.providers.begin(), options.providers.end(),
                     [&](const auto& p) { return p.name == options.default_provider; });
    if (found == options.providers.end()) {
      return Error(Outcome::BadRequest, "no provider is named '" + options.default_provider + "'",
                   "default_provider");
    }
    router.default_provider_ = static_cast<uint16_t>(found - options.providers.begin());
  }
  // Slot i, for i below the number of providers, is what only callers know of provider i.
  for (uint16_t i = 0; i < options.providers.size(); ++i) router.slots_.push_back({"", i, kOther});
  if (auto added = router.add_tiers(options); !added) return std::move(added).error();
  router.add_models();
  return router;
}

const Route* Router::find(std::string_view name) const {
  const auto found = routes_.find(name);
  return found == routes_.end() ? nullptr : &found->second;
}

Result<Route> Router::resolve_open(std::string_view name) const {
  std::optional<uint16_t> provider = default_provider_;
  std::string_view model = name;
  const std::string_view prefix = name.substr(0, name.find('/'));
  if (prefix.size() < name.size()) {
    for (uint16_t i = 0; i < providers_.size(); ++i) {
      if (providers_[i].name != prefix) continue;
      provider = i;
      model = name.substr(prefix.size() + 1);
    }
  }
  if (!provider || !providers_[*provider].open || model.empty()) return not_found(name);
  Route route;
  route.targets.push_back(
      Target{.provider = *provider, .slot = *provider, .model = std::string(model)});
  return route;
}

Error Router::not_found(std::string_view name) const {
  std::string message = "the model '" + std::string(name.substr(0, 128)) + "' is not known here";
  const std::vector<std::string> near = nearest(name, names_);
  message += near.empty() ? "; GET /v1/models lists those that are"
                          : "; did you mean " + quoted_list(near) + "?";
  return Error(Outcome::ModelNotFound, std::move(message), "model");
}

Result<Target> Router::parse_target(const std::string& text, const std::string& alias) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos || slash + 1 == text.size()) {
    return Error(Outcome::BadRequest, "'" + text + "' is not of the form provider/model");
  }
  const std::string provider = text.substr(0, slash);
  for (uint16_t i = 0; i < providers_.size(); ++i) {
    if (providers_[i].name != provider) continue;
    Target target;
    target.provider = i;
    target.model = text.substr(slash + 1);
    target.slot = slot_of(alias, i, target.model);
    return target;
  }
  return Error(Outcome::BadRequest, "no provider is named '" + provider + "'");
}

uint32_t Router::slot_of(const std::string& alias, uint16_t provider, const std::string& model) {
  for (uint32_t i = static_cast<uint32_t>(providers_.size()); i < slots_.size(); ++i) {
    if (slots_[i].alias == alias && slots_[i].provider == provider && slots_[i].model == model)
      return i;
  }
  slots_.push_back({alias, provider, model});
  return static_cast<uint32_t>(slots_.size() - 1);
}

void Router::add_name(const std::string& name, Route route) {
  if (routes_.emplace(name, std::move(route)).second) names_.push_back(name);
}

Result<void> Router::add_tiers(const RouterOptions& options) {
  for (const auto& [name, entries] : options.tiers) {
    Route route;
    route.alias = name;
    for (const std::string& entry : entries) {
      Result<Target> target = parse_target(entry, name);
      if (!target) return Error(Outcome::BadRequest, target.error().message(), "tiers." + name);
      route.targets.push_back(*std::move(target));
    }
    if (route.targets.empty())
      return Error(Outcome::BadRequest, "the tier has no target", "tiers." + name);
    add_name(name, std::move(route));
  }
  return {};
}

// Models by their bare names first found wins, and always by "provider/model".
void Router::add_models() {
  for (uint16_t i = 0; i < providers_.size(); ++i) {
    for (const std::string& model : providers_[i].models) {
      Route route;
      route.targets.push_back(Target{i, slot_of("", i, model), model});
      add_name(model, route);
      add_name(providers_[i].name + "/" + model, std::move(route));
    }
  }
  // Targets that tiers name are known too, without being offered as bare names.
  const size_t known = slots_.size();
  for (size_t s = providers_.size(); s < known; ++s) {
    const Slot slot = slots_[s];
    Route route;
    route.targets.push_back(
        Target{slot.provider, slot_of("", slot.provider, slot.model), slot.model});
    add_name(providers_[slot.provider].name + "/" + slot.model, std::move(route));
  }
}

}  // namespace sluice::routing
