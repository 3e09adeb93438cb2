#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "base/nearest.h"
#include "routing/hash.h"
#include "routing/router_builder.h"

namespace sluice::routing {
namespace {

constexpr size_t kMostWeightsShown = 4;

// The same for the same subtree, whatever its weights, so that sticky choices survive a change of
// them.
std::string identity(const Node& node) {
  if (node.kind == Node::Kind::Leaf || node.kind == Node::Kind::Reference) return node.label;
  std::string text = "(";
  for (const Node& child : node.children) text += identity(child) + ",";
  return text + ")";
}

std::string weighted_label(const std::vector<double>& weights) {
  if (weights.size() > kMostWeightsShown) return fmt::format("weighted over {}", weights.size());
  std::string label = "weighted ";
  for (size_t i = 0; i < weights.size(); ++i)
    label += fmt::format("{}{:.3g}", i > 0 ? "/" : "", weights[i] * 100);
  return label;
}

Node::Kind kind_of(Mode mode) {
  return mode == Mode::Weighted      ? Node::Kind::Weighted
         : mode == Mode::Conditional ? Node::Kind::Conditional
                                     : Node::Kind::Fallback;
}

}  // namespace

Result<Node> RouterBuilder::node(const NodeOptions& options, const Scope& scope) {
  if (scope.depth > kMaxNesting) {
    return Error(Outcome::BadRequest,
                 fmt::format("nested more than {} deep, references counted", kMaxNesting),
                 scope.where);
  }
  Scope inner = scope;
  inner.timeouts = options.timeouts.over(scope.timeouts);
  if (options.mode == Mode::Single) return single(options.target, inner);
  Node node;
  node.kind = kind_of(options.mode);
  node.sticky = scope.sticky;
  if (Result<void> added = add_children(node, options, inner); !added)
    return std::move(added).error();
  Result<void> added;
  if (options.mode == Mode::Fallback) node.label = "a list";
  if (options.mode == Mode::Weighted) added = add_weights(node, options, inner);
  if (options.mode == Mode::Conditional) added = add_rules(node, options, inner);
  if (!added) return std::move(added).error();
  return node;
}

Result<void> RouterBuilder::add_children(Node& node, const NodeOptions& options,
                                         const Scope& scope) {
  if (options.children.empty()) {
    const bool at_top = scope.above == nullptr;
    return Error(Outcome::BadRequest,
                 at_top && scope.route->kind == RouteKind::Tier ? "the tier has no target"
                                                                : "there is no target",
                 scope.where);
  }
  for (size_t i = 0; i < options.children.size(); ++i) {
    Scope below = scope;
    below.above = &scope;
    ++below.depth;
    // A target's message repeats its text, which says more than its number.
    if (options.children[i].mode != Mode::Single) below.where += fmt::format(".children[{}]", i);
    Result<Node> child = this->node(options.children[i], below);
    if (!child) return std::move(child).error();
    node.children.push_back(*std::move(child));
  }
  return {};
}

Result<void> RouterBuilder::add_weights(Node& node, const NodeOptions& options,
                                        const Scope& scope) {
  double sum = 0;
  for (const double weight : options.weights) {
    if (!std::isfinite(weight) || weight < 0)
      return Error(Outcome::BadRequest, "a weight is a number from 0 up", scope.where);
    sum += weight;
  }
  if (options.weights.size() != options.children.size() || !std::isfinite(sum) || sum <= 0) {
    return Error(Outcome::BadRequest, "each target needs a weight, and one at least above 0",
                 scope.where);
  }
  std::vector<std::string> identities;
  for (size_t i = 0; i < node.children.size(); ++i) {
    node.weights.push_back(options.weights[i] / sum);
    const std::string name = identity(node.children[i]);
    // The same target may stand there twice.
    const auto twins = std::count(identities.begin(), identities.end(), name);
    node.ids.push_back(mixed(hash_of(name), static_cast<uint64_t>(twins)));
    identities.push_back(name);
  }
  node.label = weighted_label(node.weights);
  return {};
}

Result<void> RouterBuilder::add_rules(Node& node, const NodeOptions& options, const Scope& scope) {
  node.label = "rules";
  node.otherwise = options.otherwise;
  if (options.rules.empty())
    return Error(Outcome::BadRequest, "a conditional route needs a rule", scope.where);
  if (options.otherwise >= node.children.size())
    return Error(Outcome::BadRequest, "`otherwise` names no target", scope.where);
  for (size_t i = 0; i < options.rules.size(); ++i) {
    const std::string where = fmt::format("{}.rules[{}]", scope.where, i);
    if (options.rules[i].child >= node.children.size())
      return Error(Outcome::BadRequest, "the rule names no target", where);
    Result<Condition> condition = Condition::parse(options.rules[i].when);
    if (!condition) {
      const std::string& inside = condition.error().param();
      return Error(Outcome::BadRequest, condition.error().message(),
                   where + ".when" + (inside.empty() ? "" : "." + inside));
    }
    node.rules.push_back({*std::move(condition), options.rules[i].child});
  }
  return {};
}

Result<Node> RouterBuilder::single(const std::string& text, const Scope& scope) {
  const size_t slash = text.find('/');
  if (slash != std::string::npos && slash + 1 < text.size()) {
    for (uint16_t i = 0; i < router_.providers_.size(); ++i) {
      if (text.compare(0, slash, router_.providers_[i].name) == 0) return leaf(text, i, scope);
    }
  }
  const RouteOptions* to = route_named(text);
  if (to == nullptr) return no_such_target(text, scope);
  return reference(*to, text, scope);
}

Result<Node> RouterBuilder::leaf(const std::string& text, uint16_t provider, const Scope& scope) {
  if (++leaves_ > kMaxLeaves) {
    const Scope* top = &scope;
    while (top->above != nullptr) top = top->above;
    return Error(Outcome::BadRequest,
                 fmt::format("more than {} targets, references counted", kMaxLeaves), top->where);
  }
  Node node;
  node.label = text;
  node.local = router_.providers_[provider].local;
  node.needs_local = scope.needs_local;
  node.target.provider = provider;
  node.target.model = text.substr(text.find('/') + 1);
  node.target.slot = slot_of(scope.alias, provider, node.target.model);
  node.wildcard = node.target.model == "*";
  if (scope.timeouts.any()) {
    router_.timeouts_.push_back(scope.timeouts);
    node.target.timeouts = &router_.timeouts_.back();
  }
  return node;
}

Result<Node> RouterBuilder::reference(const RouteOptions& to, const std::string& text,
                                      const Scope& scope) {
  for (const Scope* one = &scope; one != nullptr; one = one->above) {
    if (one->route != &to) continue;
    return Error(Outcome::BadRequest, "'" + text + "' leads back to itself", scope.where);
  }
  Scope below = scope;
  below.route = &to;
  below.above = &scope;
  below.timeouts = to.timeouts.over(scope.timeouts);
  if (to.sticky != Sticky::None) below.sticky = to.sticky;
  below.needs_local = scope.needs_local || to.restricted;
  below.where = std::string(section_of(to.kind)) + "." + to.name;
  ++below.depth;
  Result<Node> child = node(to.root, below);
  if (!child) return std::move(child).error();
  Node node;
  node.kind = Node::Kind::Reference;
  node.label = text;
  node.children.push_back(*std::move(child));
  return node;
}

const RouteOptions* RouterBuilder::route_named(const std::string& text) const {
  const auto found = by_name_.find(text);
  return found == by_name_.end() ? nullptr : found->second;
}

Error RouterBuilder::no_such_target(const std::string& text, const Scope& scope) const {
  const size_t slash = text.find('/');
  std::string message;
  std::vector<std::string> known;
  if (slash != std::string::npos && slash + 1 < text.size() && !text.starts_with("task/")) {
    message = "no provider is named '" + text.substr(0, slash) + "'";
    for (const ProviderNames& provider : router_.providers_) known.push_back(provider.name);
    known = nearest(text.substr(0, slash), known, 1);
  } else {
    message = "'" + text + "' is no provider/model, nor a tier, alias, route or task/NAME";
    for (const RouteOptions& route : routes_) known.push_back(asked_name(route));
    known = nearest(text, known, 1);
  }
  if (!known.empty()) message += "; did you mean '" + known.front() + "'?";
  return Error(Outcome::BadRequest, std::move(message), scope.where);
}

uint32_t RouterBuilder::slot_of(const std::string& alias, uint16_t provider,
                                const std::string& model) {
  std::vector<Slot>& slots = router_.slots_;
  for (uint32_t i = static_cast<uint32_t>(router_.providers_.size()); i < slots.size(); ++i) {
    if (slots[i].alias == alias && slots[i].provider == provider && slots[i].model == model)
      return i;
  }
  slots.push_back({alias, provider, model});
  return static_cast<uint32_t>(slots.size() - 1);
}

}  // namespace sluice::routing
