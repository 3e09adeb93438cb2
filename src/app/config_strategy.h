// Routes with a strategy of their own (routes.NAME in the file), read from the piece of the file
// that tells their shape:
//
//   split:
//     strategy: weighted             # single, fallback, weighted, conditional
//     targets:                       # "provider/model", another route's name, or a node like this
//       - {target: openai/gpt-5.4, weight: 70, timeouts: {first_byte: 10s}}
//       - {target: tier2, weight: 30}
//     sticky: user                   # none, key, user, conversation
//   by_plan:
//     strategy: conditional
//     conditions:
//       - {when: {metadata.plan: {$eq: paid}}, then: tier1}
//     default: tier2
//     restricted: true               # only targets marked local
//
// A list stands for a fallback, a single name for itself. restricted, continue, fallback and sticky
// are of the route, all else of any node.
#pragma once

#include <string>
#include <vector>

#include "app/config_diagnostic.h"
#include "routing/router.h"

namespace sluice::app {

// A name that a route leads to, and where it says so: "routes.split.targets[0].target".
struct StrategyTarget {
  std::string path;
  std::string target;
};

// What is wrong with the route's own text; whether its names mean something is another question
// (config_strategy_check.h).
struct StrategyFault {
  Rule rule;
  std::string path;
  std::string message;
  std::string hint;
};

struct Strategy {
  routing::RouteOptions options;  // of use only when no fault is an error
  std::vector<StrategyTarget> targets;
  std::vector<StrategyFault> faults;

  // The first that forbids to use the route; null: none.
  const StrategyFault* error() const;
};

// `json`: the piece of the file that is the route.
Strategy read_strategy(const std::string& name, const std::string& json);

}  // namespace sluice::app
