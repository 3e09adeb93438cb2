#include "app/router_builder.h"

#include <charconv>
#include <utility>

#include "app/config_strategy.h"

namespace sluice::app {
namespace {

std::vector<std::string> texts_of(const Route& route) {
  std::vector<std::string> texts;
  for (const Target& target : route.targets) texts.push_back(target.provider + "/" + target.model);
  return texts;
}

routing::NodeOptions single(std::string target) {
  routing::NodeOptions node;
  node.target = std::move(target);
  return node;
}

// A plain list, or another route's name.
routing::NodeOptions root_of(const Route& route) {
  if (!route.strategy.empty()) return single(route.strategy);
  routing::NodeOptions root;
  root.mode = routing::Mode::Fallback;
  for (std::string& text : texts_of(route)) root.children.push_back(single(std::move(text)));
  return root;
}

void add(routing::RouterOptions& options, const Route& route, routing::RouteKind kind) {
  const bool plain = route.strategy.empty() && kind != routing::RouteKind::Task;
  if (plain) {
    // Tiers and aliases arrive expanded, so that an alias is one more ordered list.
    options.tiers.emplace_back(route.name, texts_of(route));
    return;
  }
  routing::RouteOptions own;
  own.name = route.name;
  own.kind = kind;
  own.root = root_of(route);
  options.routes.push_back(std::move(own));
}

// "stack trace: 2.5" is a phrase and its weight; without one it weighs 1.
std::pair<std::string, double> phrase_of(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {text, 1};
  const char* first = text.data() + text.find_first_not_of(' ', colon + 1);
  const char* const last = text.data() + text.size();
  double weight = 0;
  const auto [stop, error] = std::from_chars(first, last, weight);
  if (first > last || error != std::errc() || stop != last) return {text, 1};
  return {text.substr(0, colon), weight};
}

routing::ClassifierOptions classifier_of(const Settings& settings) {
  std::vector<std::string> names;
  for (const Route& task : settings.tasks) names.push_back(task.name);
  routing::ClassifierOptions options;
  if (settings.auto_.built_in) options = routing::builtin_rules(names);
  options.threshold = settings.auto_.threshold.percent / 100;
  options.default_task = settings.auto_.fallback;
  for (routing::TaskRules& rules : phrase_rules(settings.auto_))
    options.tasks.push_back(std::move(rules));
  return options;
}

}  // namespace

std::vector<routing::TaskRules> phrase_rules(const AutoSettings& settings) {
  std::vector<routing::TaskRules> all;
  for (const TaskPhrases& own : settings.tasks) {
    routing::TaskRules rules;
    rules.task = own.task;
    for (const std::string& text : own.phrases) rules.phrases.push_back(phrase_of(text));
    all.push_back(std::move(rules));
  }
  return all;
}

Result<routing::RouterOptions> router_options(const Settings& settings) {
  routing::RouterOptions options;
  for (const ProviderSettings& provider : settings.providers) {
    options.providers.push_back({.name = provider.name,
                                 .models = provider.models,
                                 .open = provider.open,
                                 .local = provider.local});
  }
  for (const Route& tier : settings.tiers) add(options, tier, routing::RouteKind::Tier);
  for (const Route& alias : settings.aliases) add(options, alias, routing::RouteKind::Alias);
  for (const StrategyRoute& route : settings.routes) {
    Strategy strategy = read_strategy(route.name, route.tree.json);
    if (const StrategyFault* fault = strategy.error())
      return Error(Outcome::BadRequest, fault->message, fault->path);
    options.routes.push_back(std::move(strategy.options));
  }
  for (const Route& task : settings.tasks) add(options, task, routing::RouteKind::Task);
  if (!settings.tasks.empty()) options.classifier = classifier_of(settings);
  options.default_provider = settings.default_provider;
  return options;
}

}  // namespace sluice::app
