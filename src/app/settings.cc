#include "app/settings.h"

namespace sluice::app {
namespace {

template <class Item>
Item* named(std::vector<Item>& items, std::string_view name) {
  for (auto& item : items)
    if (item.name == name) return &item;
  return nullptr;
}

template <class Item>
Item& named_or_new(std::vector<Item>& items, std::string_view name) {
  if (auto* found = named(items, name)) return *found;
  items.emplace_back().name = name;
  return items.back();
}

CustomPrice& price_of(std::vector<CustomPrice>& prices, std::string_view model) {
  for (auto& item : prices)
    if (item.model == model) return item;
  prices.emplace_back().model = model;
  return prices.back();
}

}  // namespace

std::string masked(const Secret& secret) {
  constexpr size_t kLongEnoughToShowATail = 16;
  constexpr size_t kTail = 4;
  const auto text = secret.reveal();
  if (text.empty()) return "";
  if (text.size() < kLongEnoughToShowATail) return "…";
  return "…" + std::string(text.substr(text.size() - kTail));
}

const ProviderSettings* Settings::provider(std::string_view name) const {
  for (const auto& item : providers)
    if (item.name == name) return &item;
  return nullptr;
}

const Route* Settings::route(std::string_view name) const {
  for (const auto* list : {&tiers, &aliases, &tasks})
    for (const auto& item : *list)
      if (item.name == name) return &item;
  return nullptr;
}

ProviderSettings& provider_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.providers, name);
}

Route& tier_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.tiers, name);
}

Route& alias_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.aliases, name);
}

Route& task_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.tasks, name);
}

StrategyRoute& strategy_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.routes, name);
}

TaskPhrases& phrases_of(Settings& settings, std::string_view task) {
  for (auto& item : settings.auto_.tasks)
    if (item.task == task) return item;
  settings.auto_.tasks.emplace_back().task = task;
  return settings.auto_.tasks.back();
}

CustomPrice& custom_price_of(Settings& settings, std::string_view model) {
  return price_of(settings.prices.custom, model);
}

CustomPrice& credit_price_of(Settings& settings, std::string_view model) {
  return price_of(settings.prices.credits, model);
}

OrganisationSettings& organisation_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.organisations, name);
}

TeamSettings& team_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.teams, name);
}

KeySettings& key_of(Settings& settings, std::string_view name) {
  return named_or_new(settings.keys, name);
}

}  // namespace sluice::app
