#include "routing/strategy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "routing/hash.h"

namespace sluice::routing {
namespace {

std::string_view subject_of(Sticky sticky, const Facts& facts) {
  switch (sticky) {
    case Sticky::None:
      return {};
    case Sticky::Key:
      return facts.key;
    case Sticky::User:
      return facts.user;
    case Sticky::Conversation:
      return facts.conversation;
  }
  return {};
}

std::string_view name_of(Sticky sticky) {
  switch (sticky) {
    case Sticky::Key:
      return "key";
    case Sticky::User:
      return "user";
    case Sticky::Conversation:
      return "conversation";
    case Sticky::None:
      break;
  }
  return "request";
}

// The order of a weighted node's children. Each runs a race of exponentially distributed length
// with its weight as rate: the first wins by weight, the next by weight among the others, and no
// child's time depends on which others run. So a subject keeps its winner until that goes, or until
// the weights move it (rendezvous hashing with logarithmic weights).
std::vector<size_t> drawn_order(const Node& node, uint64_t seed) {
  std::vector<std::pair<double, size_t>> times;
  times.reserve(node.children.size());
  for (size_t i = 0; i < node.children.size(); ++i) {
    const double weight = node.weights[i];
    const double time = weight > 0 ? -std::log(unit_interval(mixed(seed, node.ids[i]))) / weight
                                   : std::numeric_limits<double>::infinity();
    times.emplace_back(time, i);
  }
  std::sort(times.begin(), times.end());
  std::vector<size_t> order;
  order.reserve(times.size());
  for (const auto& [time, child] : times) order.push_back(child);
  return order;
}

class Chooser {
 public:
  Chooser(const Facts& facts, std::string_view model, bool local_only)
      : facts_(facts), model_(model), local_only_(local_only) {}

  // `tells`: what this node decides led to the first target, so a reader wants to know. `named`:
  // the words say already which node this is.
  void visit(const Node& node, bool tells, bool named) {
    switch (node.kind) {
      case Node::Kind::Leaf:
        if (tells && !named) choice.words += " -> " + node.label;
        return leaf(node);
      case Node::Kind::Reference:
        if (tells && !named) choice.words += " -> " + node.label;
        return visit(node.children.front(), tells, node.children.front().kind == Node::Kind::Leaf);
      case Node::Kind::Fallback:
        return fallback(node, tells);
      case Node::Kind::Weighted:
        return weighted(node, tells);
      case Node::Kind::Conditional:
        return conditional(node, tells);
    }
  }

  Choice choice;

 private:
  void leaf(const Node& node) {
    if ((local_only_ || node.needs_local) && !node.local) {
      ++choice.not_local;
      return;
    }
    if (node.wildcard && model_.empty()) {
      ++choice.without_model;
      return;
    }
    const std::string_view model = node.wildcard ? asked_model(node) : node.target.model;
    const bool known =
        std::any_of(choice.targets.begin(), choice.targets.end(), [&](const Target& target) {
          return target.provider == node.target.provider && target.model == model;
        });
    if (known) return;
    Target& target = choice.targets.emplace_back(node.target);
    if (node.wildcard) target.model = model;
  }

  // What the caller named, without this provider's prefix.
  std::string_view asked_model(const Node& node) const {
    const std::string_view prefix = std::string_view(node.label).substr(0, node.label.size() - 1);
    return model_.size() > prefix.size() && model_.starts_with(prefix)
               ? model_.substr(prefix.size())
               : model_;
  }

  void fallback(const Node& node, bool tells) {
    if (tells && node.children.size() > 1) choice.words += ", in order";
    for (size_t i = 0; i < node.children.size(); ++i)
      visit(node.children[i], tells && i == 0, node.children.size() > 1);
  }

  void weighted(const Node& node, bool tells) {
    const std::string_view subject = subject_of(node.sticky, facts_);
    const uint64_t seed = subject.empty() ? facts_.random : hash_of(subject);
    const std::vector<size_t> order = drawn_order(node, seed);
    if (tells) {
      choice.words += "; " + node.label + (subject.empty() ? " drew " : " keeps ") +
                      node.children[order.front()].label;
      if (!subject.empty()) choice.words += " for this " + std::string(name_of(node.sticky));
    }
    for (const size_t child : order)
      visit(node.children[child], tells && child == order.front(), true);
  }

  void conditional(const Node& node, bool tells) {
    const auto rule =
        std::find_if(node.rules.begin(), node.rules.end(),
                     [this](const Node::Rule& one) { return one.condition.matches(facts_); });
    const bool matched = rule != node.rules.end();
    if (tells) choice.words += ": " + (matched ? rule->condition.explain() : "no rule matches");
    visit(node.children[matched ? rule->child : node.otherwise], tells, false);
  }

  const Facts& facts_;
  std::string_view model_;
  bool local_only_;
};

std::string skipped(int count, std::string_view why) {
  return "; " + std::to_string(count) + (count == 1 ? " target" : " targets") +
         " skipped: " + std::string(why);
}

}  // namespace

bool Node::is_static() const {
  if (wildcard || kind == Kind::Weighted || kind == Kind::Conditional) return false;
  return std::all_of(children.begin(), children.end(),
                     [](const Node& child) { return child.is_static(); });
}

Choice choose(const Node& root, const Facts& facts, std::string_view model, bool local_only) {
  Chooser chooser(facts, model, local_only);
  chooser.visit(root, true, false);
  Choice choice = std::move(chooser.choice);
  if (choice.not_local > 0) choice.words += skipped(choice.not_local, "not local");
  if (choice.without_model > 0)
    choice.words += skipped(choice.without_model, "no model was named for it");
  return choice;
}

}  // namespace sluice::routing
