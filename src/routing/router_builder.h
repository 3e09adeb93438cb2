// Makes a Router of its options: resolves names, expands references, computes static answers.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "routing/router.h"

namespace sluice::routing {

class RouterBuilder {
 public:
  explicit RouterBuilder(const RouterOptions& options) : options_(options) {}
  Result<Router> build();

 private:
  // Where in the tree of a route a node stands, and what it takes from above.
  struct Scope {
    const RouteOptions* route;  // that the node is written in
    const Scope* above;         // the node or reference that led here; null at the top
    std::string alias;          // of the route that is asked for
    std::string where;          // "routes.eu.children[1]", for errors
    Timeouts timeouts;
    Sticky sticky;
    bool needs_local;
    int depth;
  };

  Result<void> set_default_provider();
  void collect_routes();
  Result<void> index_routes();
  Result<void> add_routes();
  Result<void> add_route(const RouteOptions& route);
  Result<void> set_classifier();
  void add_models();
  bool add_entry(const std::string& name, const Router::Entry& entry);
  static void answer_static(Router::Entry& entry);

  // router_nodes.cc
  Result<Node> node(const NodeOptions& options, const Scope& scope);
  Result<Node> single(const std::string& text, const Scope& scope);
  Result<Node> reference(const RouteOptions& to, const std::string& text, const Scope& scope);
  Result<Node> leaf(const std::string& text, uint16_t provider, const Scope& scope);
  Result<void> add_children(Node& node, const NodeOptions& options, const Scope& scope);
  Result<void> add_weights(Node& node, const NodeOptions& options, const Scope& scope);
  Result<void> add_rules(Node& node, const NodeOptions& options, const Scope& scope);
  const RouteOptions* route_named(const std::string& text) const;
  Error no_such_target(const std::string& text, const Scope& scope) const;
  uint32_t slot_of(const std::string& alias, uint16_t provider, const std::string& model);

  const RouterOptions& options_;
  Router router_;
  std::vector<RouteOptions> routes_;  // tiers that are lists, then options_.routes
  // By "name", or "task/name".
  std::unordered_map<std::string, const RouteOptions*> by_name_;
  size_t leaves_ = 0;  // of the route being built
};

// "tiers", "aliases", "routes", "tasks": where in the configuration.
std::string_view section_of(RouteKind kind);
// "task/name" of a task, the name of all others.
std::string asked_name(const RouteOptions& route);

}  // namespace sluice::routing
