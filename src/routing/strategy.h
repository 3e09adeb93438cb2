// How a route chooses: a tree of fallback, weighted and conditional nodes, nested to any depth,
// with targets at its leaves. Evaluated for one request it gives one ordered list of targets
// without repetition. Immutable.
//
// A weighted node draws its first child by weight, then the others by weight among those left, so
// that weighted also falls back; weight 0 is never first. The draw is rendezvous hashing: with a
// subject to stick to (AB-3) the same subject gets the same order for as long as the children live,
// and when one goes only its own subjects move.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/condition.h"
#include "routing/facts.h"
#include "routing/target.h"

namespace sluice::routing {

// To whom a weighted choice stays the same. A request without that subject is drawn afresh.
enum class Sticky : uint8_t { None, Key, User, Conversation };

enum class Mode : uint8_t { Single, Fallback, Weighted, Conditional };

struct RuleOptions {
  std::string when;  // JSON, see condition.h
  size_t child = 0;  // of the node's children
};

// A node as the configuration says it.
struct NodeOptions {
  Mode mode = Mode::Single;
  // Single: "provider/model", "provider/*" (any model the caller names), or the name of a tier,
  // alias or route, or "task/name".
  std::string target;
  std::vector<NodeOptions> children;
  std::vector<double> weights;     // Weighted: one per child, in any unit, one at least above 0
  std::vector<RuleOptions> rules;  // Conditional: the first that matches wins
  size_t otherwise = 0;            // Conditional: the child when none matches
  Timeouts timeouts;               // of the targets below that say nothing closer
};

inline constexpr int kMaxNesting = 32;     // nodes above each other, references counted
inline constexpr size_t kMaxLeaves = 256;  // targets of one route, repetitions counted

// A node ready to be evaluated; made by the Router.
struct Node {
  enum class Kind : uint8_t { Leaf, Reference, Fallback, Weighted, Conditional };
  Kind kind = Kind::Leaf;
  // Leaf: "openai/gpt-5"; Reference: "tier1"; others what they are: "weighted 70/30".
  std::string label;
  std::vector<Node> children;
  // Leaf.
  Target target;
  bool wildcard = false;     // the model is the one the caller names
  bool local = false;        // its provider is marked local
  bool needs_local = false;  // below a restricted route: nothing else may stay
  // Weighted.
  std::vector<double> weights;
  std::vector<uint64_t> ids;  // of the children, the same in every process
  Sticky sticky = Sticky::None;
  // Conditional.
  struct Rule {
    Condition condition;
    size_t child;
  };
  std::vector<Rule> rules;
  size_t otherwise = 0;

  // The answer is the same for every request.
  bool is_static() const;
};

// What an evaluation found.
struct Choice {
  std::vector<Target> targets;
  std::string words;      // ": metadata.plan is 'paid' -> tier2; weighted 70/30 drew openai/gpt-5"
  int not_local = 0;      // targets left out because the data must stay
  int without_model = 0;  // "provider/*" left out because the caller named no model
};

// `model`: what stands for "*"; empty: none. `local_only`: leave out what is not local.
Choice choose(const Node& root, const Facts& facts, std::string_view model, bool local_only);

}  // namespace sluice::routing
