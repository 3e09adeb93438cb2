#include "routing/router_builder.h"

#include <algorithm>

namespace sluice::routing {
namespace {

const std::string kOther = "*";

std::string_view word_of(RouteKind kind) {
  switch (kind) {
    case RouteKind::Tier:
      return "tier";
    case RouteKind::Alias:
      return "alias";
    case RouteKind::Route:
      return "route";
    case RouteKind::Task:
      break;
  }
  return "task";
}

bool has_allowed_target(const Node& node) {
  if (node.kind == Node::Kind::Leaf) return node.local || !node.needs_local;
  return std::any_of(node.children.begin(), node.children.end(), has_allowed_target);
}

}  // namespace

std::string_view section_of(RouteKind kind) {
  switch (kind) {
    case RouteKind::Tier:
      return "tiers";
    case RouteKind::Alias:
      return "aliases";
    case RouteKind::Route:
      return "routes";
    case RouteKind::Task:
      break;
  }
  return "tasks";
}

std::string asked_name(const RouteOptions& route) {
  return route.kind == RouteKind::Task ? "task/" + route.name : route.name;
}

Result<Router> RouterBuilder::build() {
  if (options_.providers.empty())
    return Error(Outcome::BadRequest, "no provider is configured", "providers");
  router_.providers_ = options_.providers;
  if (Result<void> set = set_default_provider(); !set) return std::move(set).error();
  // Slot i, for i below the number of providers, is what only callers know of provider i.
  for (uint16_t i = 0; i < options_.providers.size(); ++i)
    router_.slots_.push_back({"", i, kOther});
  collect_routes();
  if (Result<void> indexed = index_routes(); !indexed) return std::move(indexed).error();
  if (Result<void> added = add_routes(); !added) return std::move(added).error();
  if (Result<void> set = set_classifier(); !set) return std::move(set).error();
  add_models();
  return std::move(router_);
}

Result<void> RouterBuilder::set_default_provider() {
  // Among several, a mistyped name must not reach whichever happens to stand first.
  if (options_.providers.size() == 1) router_.default_provider_ = 0;
  if (options_.default_provider.empty()) return {};
  const auto found = std::find_if(
      options_.providers.begin(), options_.providers.end(),
      [&](const ProviderNames& provider) { return provider.name == options_.default_provider; });
  if (found == options_.providers.end()) {
    return Error(Outcome::BadRequest, "no provider is named '" + options_.default_provider + "'",
                 "default_provider");
  }
  router_.default_provider_ = static_cast<uint16_t>(found - options_.providers.begin());
  return {};
}

void RouterBuilder::collect_routes() {
  for (const auto& [name, entries] : options_.tiers) {
    RouteOptions route;
    route.name = name;
    route.kind = RouteKind::Tier;
    route.root.mode = Mode::Fallback;
    for (const std::string& entry : entries) route.root.children.push_back({.target = entry});
    routes_.push_back(std::move(route));
  }
  routes_.insert(routes_.end(), options_.routes.begin(), options_.routes.end());
}

Result<void> RouterBuilder::index_routes() {
  for (const RouteOptions& route : routes_) {
    const std::string where = std::string(section_of(route.kind)) + "." + route.name;
    if (route.kind != RouteKind::Task && route.name.starts_with("task/"))
      return Error(Outcome::BadRequest, "names that begin with task/ are those of tasks", where);
    if (!by_name_.emplace(asked_name(route), &route).second) {
      return Error(Outcome::BadRequest, "'" + route.name + "' is the name of another one too",
                   where);
    }
  }
  return {};
}

Result<void> RouterBuilder::add_routes() {
  // Tasks after the others, as names() offers them.
  for (const bool tasks : {false, true}) {
    for (const RouteOptions& route : routes_) {
      if ((route.kind == RouteKind::Task) != tasks) continue;
      if (Result<void> added = add_route(route); !added) return added;
    }
  }
  return {};
}

Result<void> RouterBuilder::add_route(const RouteOptions& route) {
  const std::string alias = asked_name(route);
  const std::string where = std::string(section_of(route.kind)) + "." + route.name;
  const Scope top{.route = &route,
                  .above = nullptr,
                  .alias = alias,
                  .where = where,
                  .timeouts = route.timeouts,
                  .sticky = route.sticky,
                  .needs_local = route.restricted,
                  .depth = 0};
  leaves_ = 0;
  Result<Node> root = node(route.root, top);
  if (!root) return std::move(root).error();
  if (!has_allowed_target(*root)) {
    return Error(Outcome::BadRequest, "it is restricted, and none of its targets is marked local",
                 where);
  }
  Router::Entry entry;
  entry.root = *std::move(root);
  entry.head = std::string(word_of(route.kind)) + " " + route.name;
  entry.all.alias = alias;
  // Where a route is another's name, it is that one in all that was not said of it.
  for (const RouteOptions* one = &route; one != nullptr;
       one = one->root.mode == Mode::Single ? route_named(one->root.target) : nullptr) {
    entry.restricted = entry.restricted || one->restricted;
    entry.all.continues = entry.all.continues || one->continues;
    entry.all.fallback = entry.all.fallback && one->fallback;
  }
  if (route.kind == RouteKind::Task) {
    Router::Entry by_header = entry;
    entry.task = by_header.task = route.name;
    by_header.head += " (x-sluice-task)";
    answer_static(by_header);
    router_.tasks_.emplace(route.name, std::move(by_header));
    router_.task_names_.push_back(route.name);
  }
  answer_static(entry);
  add_entry(alias, entry);
  return {};
}

void RouterBuilder::answer_static(Router::Entry& entry) {
  entry.is_static = entry.root.is_static();
  entry.local = entry.all;
  if (!entry.is_static) return;
  const auto answer = [&](Route& route, bool local_only) {
    Choice choice = choose(entry.root, Facts{}, "", local_only);
    route.targets = std::move(choice.targets);
    route.reason = entry.head + choice.words;
  };
  answer(entry.all, false);
  answer(entry.local, true);
}

Result<void> RouterBuilder::set_classifier() {
  if (!options_.classifier) return {};
  if (by_name_.contains(std::string(kAuto)))
    return Error(Outcome::BadRequest, "'auto' is the name that asks for the classifier", "routes");
  Result<Classifier> classifier = Classifier::make(*options_.classifier, router_.task_names_);
  if (!classifier) return std::move(classifier).error();
  router_.classifier_ = *std::move(classifier);
  router_.names_.emplace_back(kAuto);
  return {};
}

bool RouterBuilder::add_entry(const std::string& name, const Router::Entry& entry) {
  const bool added = router_.entries_.emplace(name, entry).second;
  if (added) router_.names_.push_back(name);
  return added;
}

// Models by their bare names first found wins, and always by "provider/model".
void RouterBuilder::add_models() {
  const auto model_entry = [&](uint16_t provider, const std::string& model,
                               const std::string& name) {
    Router::Entry entry;
    entry.head = "model " + name;
    entry.root.label = router_.providers_[provider].name + "/" + model;
    entry.root.local = router_.providers_[provider].local;
    entry.root.target.provider = provider;
    entry.root.target.slot = slot_of("", provider, model);
    entry.root.target.model = model;
    answer_static(entry);
    // A name that says where it goes need not say it twice.
    if (name == entry.root.label) entry.all.reason = entry.local.reason = entry.head;
    add_entry(name, entry);
  };
  for (uint16_t i = 0; i < options_.providers.size(); ++i) {
    for (const std::string& model : options_.providers[i].models) {
      model_entry(i, model, model);
      model_entry(i, model, options_.providers[i].name + "/" + model);
    }
  }
  // Targets that tiers name are known too, without being offered as bare names.
  const size_t known = router_.slots_.size();
  for (size_t s = options_.providers.size(); s < known; ++s) {
    const Slot slot = router_.slots_[s];
    if (slot.model == kOther) continue;
    model_entry(slot.provider, slot.model,
                options_.providers[slot.provider].name + "/" + slot.model);
  }
}

}  // namespace sluice::routing
