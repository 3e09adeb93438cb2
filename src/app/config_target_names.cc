#include "app/config_target_names.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "app/config_names.h"

namespace sluice::app {
namespace {

constexpr std::string_view kTask = "task/";

}  // namespace

TargetNames::TargetNames(Reader& reader) : reader_(reader) {
  const Settings& settings = reader.settings;
  for (const auto& provider : settings.providers) providers_.emplace(provider.name, &provider);
  for (const auto* routes : {&settings.tiers, &settings.aliases})
    for (const auto& route : *routes) lists_.insert(route.name);
  for (const auto& route : settings.routes) routes_.insert(route.name);
  for (const auto& task : settings.tasks) tasks_.insert(task.name);
}

const ProviderSettings* TargetNames::provider_of(std::string_view text) const {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return nullptr;
  const auto found = providers_.find(text.substr(0, slash));
  return found == providers_.end() ? nullptr : found->second;
}

std::optional<Target> TargetNames::target(const std::string& text, const std::string& path) {
  const ProviderSettings& provider = *provider_of(text);
  const std::string model = text.substr(text.find('/') + 1);
  const auto complain = [&](Rule rule, std::string message, std::string hint) {
    reader_.complain(rule, reader_.provenance.place_of(path), path, std::move(message),
                     std::move(hint));
  };
  if (model.empty()) {
    complain(Rule::BadName, fmt::format("`{}/` names no model", provider.name), "");
    return std::nullopt;
  }
  const auto& models = provider.models;
  if (provider.open || std::find(models.begin(), models.end(), model) != models.end())
    return Target{provider.name, model};
  if (model == "*") {
    complain(Rule::ModelNotServed,
             fmt::format("provider `{}` takes no other models than those it lists", provider.name),
             fmt::format("set `providers.{}.open: true`, or name a model", provider.name));
    return std::nullopt;
  }
  const std::vector<std::string_view> known(models.begin(), models.end());
  std::string hint = did_you_mean(model, known);
  if (hint.empty()) hint = fmt::format("add it to `providers.{}.models`", provider.name);
  complain(Rule::ModelNotServed,
           fmt::format("provider `{}` does not list the model `{}`", provider.name, model),
           std::move(hint));
  return std::nullopt;
}

void TargetNames::unknown(const std::string& text, const std::string& path, std::string_view self) {
  const std::string_view view = text;
  const size_t slash = view.find('/');
  std::vector<std::string_view> names;
  std::string message;
  std::string hint;
  if (view.starts_with(kTask)) {
    names.assign(tasks_.begin(), tasks_.end());
    message = fmt::format("no task is called `{}`", view.substr(kTask.size()));
    hint = did_you_mean(view.substr(kTask.size()), names);
  } else if (slash != std::string::npos) {
    for (const auto& [name, provider] : providers_) names.push_back(name);
    message = fmt::format("no provider is called `{}`", view.substr(0, slash));
    hint = did_you_mean(view.substr(0, slash), names);
  } else if (is_provider(view)) {
    message = fmt::format("`{}` is a provider without a model", view);
    hint = fmt::format("write `{}/model`", view);
  } else {
    for (const auto* known : {&lists_, &routes_})
      for (const auto& name : *known)
        if (name != self) names.push_back(name);
    message = fmt::format("`{}` is neither `provider/model` nor a tier, alias or route", view);
    hint = did_you_mean(view, names);
    if (hint.empty()) hint = "write `provider/model`";
  }
  reader_.complain(Rule::UnknownProvider, reader_.provenance.place_of(path), path,
                   std::move(message), std::move(hint));
}

}  // namespace sluice::app
