#include "app/config_strategy.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <simdjson.h>
#include <utility>

#include "app/config_names.h"
#include "app/config_value.h"

namespace sluice::app {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr auto kModes =
    std::to_array<std::string_view>({"single", "fallback", "weighted", "conditional"});
constexpr auto kSticky = std::to_array<std::string_view>({"none", "key", "user", "conversation"});
constexpr auto kNodeKeys = std::to_array<std::string_view>(
    {"strategy", "targets", "target", "weight", "conditions", "default", "timeouts", "name"});
constexpr auto kRouteKeys =
    std::to_array<std::string_view>({"strategy", "targets", "target", "conditions", "default",
                                     "timeouts", "sticky", "restricted", "continue", "fallback"});
constexpr auto kTimeoutKeys =
    std::to_array<std::string_view>({"connect", "first_byte", "idle", "total"});
constexpr auto kRuleKeys = std::to_array<std::string_view>({"when", "then"});

class StrategyReader {
 public:
  Strategy route(const std::string& name, element tree) {
    routing::RouteOptions& options = out_.options;
    options.name = name;
    options.kind = routing::RouteKind::Route;
    const std::string path = "routes." + name;
    if (tree.is_object()) {
      const object map = tree.get_object().value_unsafe();
      check_keys(map, kRouteKeys, path);
      flag(map, "restricted", path, options.restricted);
      flag(map, "continue", path, options.continues);
      flag(map, "fallback", path, options.fallback);
      if (const auto sticky = word(map, "sticky", kSticky, path))
        options.sticky = static_cast<routing::Sticky>(*sticky);
    }
    options.root = node(tree, path, 0);
    return std::move(out_);
  }

 private:
  void fail(Rule rule, const std::string& path, std::string message, std::string hint = "") {
    out_.faults.push_back({rule, path, std::move(message), std::move(hint)});
  }

  routing::NodeOptions node(element tree, const std::string& path, int depth) {
    routing::NodeOptions out;
    if (depth > routing::kMaxNesting) {
      fail(Rule::RouteCycle, path,
           fmt::format("routes nest deeper than {} here", routing::kMaxNesting));
      return out;
    }
    if (tree.is_string()) {
      out.target = std::string(tree.get_string().value_unsafe());
      out_.targets.push_back({path, out.target});
      return out;
    }
    if (tree.is_array()) {
      out.mode = routing::Mode::Fallback;
      children(tree, path, depth, out);
      return out;
    }
    if (!tree.is_object()) {
      fail(Rule::WrongShape, path, fmt::format("`{}` must be a target, a list or a map", path));
      return out;
    }
    const object map = tree.get_object().value_unsafe();
    if (depth > 0) check_keys(map, kNodeKeys, path);
    timeouts(map, path, out.timeouts);
    shape(map, path, depth, out);
    return out;
  }

  // What the node does, and with whom.
  void shape(object map, const std::string& path, int depth, routing::NodeOptions& out) {
    const auto mode = word(map, "strategy", kModes, path);
    element target;
    if (map["target"].get(target) == simdjson::SUCCESS) {
      const routing::Timeouts own = out.timeouts;
      out = node(target, path + ".target", depth + 1);
      out.timeouts = own.over(out.timeouts);
      return;
    }
    if (!mode) {
      if (map["strategy"].error() != simdjson::SUCCESS)
        fail(Rule::MissingKey, path, fmt::format("`{}` needs a `strategy` or a `target`", path),
             "strategies: " + listed(kModes));
      return;
    }
    out.mode = static_cast<routing::Mode>(*mode);
    if (out.mode == routing::Mode::Conditional) return conditional(map, path, depth, out);
    element list;
    if (map["targets"].get(list) != simdjson::SUCCESS || !list.is_array()) {
      missing_list(map, "targets", path);
      return;
    }
    children(list, path + ".targets", depth, out);
    if (out.mode == routing::Mode::Single && !out.children.empty()) {
      if (out.children.size() > 1)
        fail(Rule::OutOfRange, path + ".targets",
             fmt::format("`{}` needs exactly one target", path), "`fallback` takes several");
      routing::NodeOptions only = std::move(out.children.front());
      out = std::move(only);
    }
  }

  void children(element list, const std::string& path, int depth, routing::NodeOptions& out) {
    size_t i = 0;
    for (const element child : list.get_array().value_unsafe()) {
      const std::string own = fmt::format("{}[{}]", path, i++);
      out.children.push_back(node(child, own, depth + 1));
      if (out.mode == routing::Mode::Weighted) out.weights.push_back(weight(child, own));
    }
    if (i == 0) fail(Rule::OutOfRange, path, fmt::format("`{}` is empty", path));
    find_repeats(list, path);
    const bool drawn = std::any_of(out.weights.begin(), out.weights.end(),
                                   [](double weight) { return weight > 0; });
    if (!out.weights.empty() && !drawn)
      fail(Rule::OutOfRange, path, fmt::format("`{}`: at least one weight must be above 0", path));
  }

  // The same name twice in one list. (Whole nodes may look alike and differ in what is around.)
  void find_repeats(element list, const std::string& path) {
    std::set<std::string_view> seen;
    size_t i = 0;
    for (const element child : list.get_array().value_unsafe()) {
      const std::string own = fmt::format("{}[{}]", path, i++);
      element target = child;
      const bool inner = child.is_object() && child["target"].get(target) == simdjson::SUCCESS;
      std::string_view name;
      if (target.get(name) != simdjson::SUCCESS || seen.insert(name).second) continue;
      fail(Rule::UnreachableTarget, inner ? own + ".target" : own,
           fmt::format("`{}` stands earlier in this list and is never tried here", name),
           "remove it");
    }
  }

  void missing_list(object map, std::string_view key, const std::string& path) {
    if (map[key].error() == simdjson::SUCCESS)
      return fail(Rule::WrongShape, fmt::format("{}.{}", path, key),
                  fmt::format("`{}.{}` must be a list", path, key));
    fail(Rule::MissingKey, path, fmt::format("`{}` needs `{}`, a list", path, key));
  }

  double weight(element child, const std::string& path) {
    element given;
    if (!child.is_object() || child["weight"].get(given) != simdjson::SUCCESS) return 1;
    double value = 0;
    if (given.get(value) == simdjson::SUCCESS && value >= 0) return value;
    fail(Rule::BadValue, path + ".weight",
         fmt::format("`{}.weight` must be a number, 0 or more", path));
    return 1;
  }

  void conditional(object map, const std::string& path, int depth, routing::NodeOptions& out) {
    element rules;
    if (map["conditions"].get(rules) != simdjson::SUCCESS || !rules.is_array()) {
      missing_list(map, "conditions", path);
      return;
    }
    size_t i = 0;
    for (const element rule : rules.get_array().value_unsafe()) {
      const std::string own = fmt::format("{}.conditions[{}]", path, i++);
      element when;
      element then;
      if (!rule.is_object() || rule["when"].get(when) != simdjson::SUCCESS ||
          rule["then"].get(then) != simdjson::SUCCESS) {
        if (rule.is_object()) check_keys(rule.get_object().value_unsafe(), kRuleKeys, own);
        fail(Rule::MissingKey, own, fmt::format("`{}` needs `when` and `then`", own));
        continue;
      }
      check_keys(rule.get_object().value_unsafe(), kRuleKeys, own);
      out.rules.push_back({simdjson::minify(when), out.children.size()});
      const Result<routing::Condition> condition = routing::Condition::parse(out.rules.back().when);
      if (!condition) bad_condition(own + ".when", condition.error());
      out.children.push_back(node(then, own + ".then", depth + 1));
    }
    if (i == 0)
      fail(Rule::OutOfRange, path + ".conditions", fmt::format("`{}.conditions` is empty", path));
    element otherwise;
    if (map["default"].get(otherwise) != simdjson::SUCCESS) {
      fail(Rule::MissingKey, path,
           fmt::format("`{}` needs a `default` for requests that no condition takes", path));
      return;
    }
    out.otherwise = out.children.size();
    out.children.push_back(node(otherwise, path + ".default", depth + 1));
  }

  // The error knows which member of the condition is at fault.
  void bad_condition(const std::string& path, const Error& error) {
    const std::string& inside = error.param();
    fail(Rule::BadCondition, inside.empty() ? path : fmt::format("{}.{}", path, inside),
         fmt::format("`{}`: {}", path, error.message()));
  }

  void timeouts(object map, const std::string& path, routing::Timeouts& out) {
    element group;
    if (map["timeouts"].get(group) != simdjson::SUCCESS) return;
    const std::string own = path + ".timeouts";
    if (!group.is_object())
      return fail(Rule::WrongShape, own, fmt::format("`{}` must be a map", own));
    for (const auto [key, value] : group.get_object().value_unsafe()) {
      std::optional<Nanos>* slot = key == "connect"      ? &out.connect
                                   : key == "first_byte" ? &out.first_byte
                                   : key == "idle"       ? &out.idle
                                   : key == "total"      ? &out.total
                                                         : nullptr;
      const std::string leaf = fmt::format("{}.{}", own, key);
      if (slot == nullptr) {
        unknown_key(key, kTimeoutKeys, own);
        continue;
      }
      Duration duration{};
      const std::string text = value.is_string() ? std::string(value.get_string().value_unsafe())
                                                 : simdjson::minify(value);
      if (auto fault = assign(duration, text, Limits{1, 24 * 3'600'000}))
        fail(fault->rule, leaf, fmt::format("`{}`: {}", leaf, fault->message), fault->hint);
      *slot = duration.count() * kMillisecond;
    }
  }

  void flag(object map, std::string_view key, const std::string& path, bool& out) {
    element value;
    if (map[key].get(value) != simdjson::SUCCESS) return;
    if (value.get(out) != simdjson::SUCCESS)
      fail(Rule::BadValue, fmt::format("{}.{}", path, key),
           fmt::format("`{}.{}` must be true or false", path, key));
  }

  std::optional<size_t> word(object map, std::string_view key,
                             std::span<const std::string_view> known, const std::string& path) {
    element value;
    if (map[key].get(value) != simdjson::SUCCESS) return std::nullopt;
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) text = "";
    for (size_t i = 0; i < known.size(); ++i)
      if (known[i] == text) return i;
    fail(Rule::UnknownChoice, fmt::format("{}.{}", path, key),
         fmt::format("`{}.{}`: expected {}", path, key, listed(known)), did_you_mean(text, known));
    return std::nullopt;
  }

  void check_keys(object map, std::span<const std::string_view> known, const std::string& path) {
    for (const auto [key, value] : map) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      unknown_key(key, known, path);
    }
  }

  void unknown_key(std::string_view key, std::span<const std::string_view> known,
                   const std::string& path) {
    std::string hint = did_you_mean(key, known);
    if (hint.empty()) hint = "known here: " + listed(known);
    fail(Rule::UnknownKey, fmt::format("{}.{}", path, key), fmt::format("unknown key `{}`", key),
         std::move(hint));
  }

  Strategy out_;
};

}  // namespace

const StrategyFault* Strategy::error() const {
  for (const StrategyFault& fault : faults)
    if (info_of(fault.rule).severity == Severity::Error) return &fault;
  return nullptr;
}

Strategy read_strategy(const std::string& name, const std::string& json) {
  simdjson::dom::parser parser;
  element tree;
  if (parser.parse(json).get(tree) == simdjson::SUCCESS) return StrategyReader().route(name, tree);
  Strategy none;
  none.faults.push_back({Rule::WrongShape, "routes." + name, "this is no route", ""});
  return none;
}

}  // namespace sluice::app
