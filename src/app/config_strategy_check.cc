#include "app/config_strategy_check.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

#include "app/config_strategy.h"
#include "app/config_target_names.h"
#include "app/router_builder.h"
#include "routing/router.h"

namespace sluice::app {
namespace {

// Who leads to whom, over tiers, aliases, tasks and routes, each by the name it is asked by.
class StrategyChecker {
 public:
  explicit StrategyChecker(Reader& reader) : reader_(reader), names_(reader) {}

  void run() {
    const Settings& settings = reader_.settings;
    for (const auto& tier : settings.tiers) add("tiers", tier.name, tier);
    for (const auto& alias : settings.aliases) add("aliases", alias.name, alias);
    for (const auto& task : settings.tasks) add("tasks", "task/" + task.name, task);
    for (const auto& route : settings.routes) read(route);
    for (const auto& route : settings.routes) check_targets(route.name);
    for (const auto& route : settings.routes) follow(route.name, 0);
    for (const auto& route : settings.routes) check_restricted(route.name);
  }

 private:
  enum class State { Untouched, Underway, Done };
  struct Stop {
    std::vector<StrategyTarget> targets;
    bool is_route = false;
    bool restricted = false;
    bool faulty = false;
    State state = State::Untouched;
  };

  void complain(Rule rule, const std::string& path, std::string message, std::string hint = "") {
    reader_.complain(rule, reader_.provenance.place_of(path), path, std::move(message),
                     std::move(hint));
  }

  void add(std::string_view section, const std::string& name, const Route& route) {
    Stop stop;
    for (size_t i = 0; i < route.entries.size(); ++i)
      stop.targets.push_back({fmt::format("{}.{}[{}]", section, route.name, i), route.entries[i]});
    stops_.emplace(name, std::move(stop));
  }

  void read(const StrategyRoute& route) {
    const std::string path = "routes." + route.name;
    // The reader has said why there is nothing to read.
    if (route.tree.json.empty()) return;
    Strategy strategy = read_strategy(route.name, route.tree.json);
    for (StrategyFault& fault : strategy.faults) {
      const bool of_key = fault.rule == Rule::UnknownKey;
      Place place = of_key ? reader_.provenance.place_of_key(fault.path)
                           : reader_.provenance.place_of(fault.path);
      reader_.complain(fault.rule, std::move(place), fault.path, std::move(fault.message),
                       std::move(fault.hint));
    }
    Stop stop{.targets = std::move(strategy.targets),
              .is_route = true,
              .restricted = strategy.options.restricted,
              .faulty = strategy.error() != nullptr};
    stops_.emplace(route.name, std::move(stop));
  }

  Stop* stop_of(const std::string& name) {
    const auto found = stops_.find(name);
    return found == stops_.end() ? nullptr : &found->second;
  }

  void check_targets(const std::string& name) {
    Stop* const stop = stop_of(name);
    if (stop == nullptr || !stop->is_route) return;
    for (const auto& [path, target] : stop->targets) {
      if (names_.provider_of(target) != nullptr) {
        if (!names_.target(target, path)) stop->faulty = true;
      } else if (!stops_.contains(target) && !names_.is_route(target)) {
        names_.unknown(target, path, name);
        stop->faulty = true;
      }
    }
  }

  // Circles without a route were found when tiers and aliases were expanded.
  void follow(const std::string& name, int depth) {
    Stop* const stop = stop_of(name);
    if (stop == nullptr || stop->state != State::Untouched) return;
    if (depth > routing::kMaxNesting) return;  // check_router() says so
    stop->state = State::Underway;
    underway_.push_back(name);
    for (const auto& [path, target] : stop->targets) {
      const Stop* const next = stop_of(target);
      if (next == nullptr) continue;
      if (next->state == State::Underway) circle(path, target);
      follow(target, depth + 1);
    }
    underway_.pop_back();
    stop->state = State::Done;
  }

  void circle(const std::string& path, const std::string& first) {
    const auto from = std::find(underway_.begin(), underway_.end(), first);
    const auto is_route = [this](const std::string& name) { return stop_of(name)->is_route; };
    if (std::none_of(from, underway_.end(), is_route)) return;
    std::string way;
    for (auto at = from; at != underway_.end(); ++at) way += fmt::format("`{}` -> ", *at);
    complain(Rule::RouteCycle, path, fmt::format("a circle: {}`{}`", way, first));
  }

  void check_restricted(const std::string& name) {
    Stop* const stop = stop_of(name);
    if (stop == nullptr || !stop->is_route || !stop->restricted || stop->faulty) return;
    std::set<std::string> seen;
    if (reaches_local(*stop, seen)) return;
    complain(Rule::BadRouting, fmt::format("routes.{}.restricted", name),
             fmt::format(
                 "`{}` is restricted, and none of its targets is at a provider marked local", name),
             "add one, or mark its provider `local: true`");
  }

  // True too when what is below has faults of its own, which say enough.
  bool reaches_local(const Stop& stop, std::set<std::string>& seen) {
    if (seen.size() > kMostStops) return true;
    return std::any_of(stop.targets.begin(), stop.targets.end(), [&](const StrategyTarget& target) {
      if (const auto* provider = names_.provider_of(target.target)) return provider->local;
      const Stop* const next = stop_of(target.target);
      if (next == nullptr || next->faulty) return true;
      return seen.insert(target.target).second && reaches_local(*next, seen);
    });
  }

  static constexpr size_t kMostStops = 1000;  // below one route; check_router() knows the rest

  Reader& reader_;
  TargetNames names_;
  std::map<std::string, Stop> stops_;
  std::vector<std::string> underway_;
};

// Each phrase by itself, so that the place of the one at fault is known.
void check_phrases(Reader& reader) {
  for (const routing::TaskRules& rules : phrase_rules(reader.settings.auto_)) {
    for (size_t i = 0; i < rules.phrases.size(); ++i) {
      routing::ClassifierOptions one;
      one.default_task = rules.task;
      one.tasks.push_back({.task = rules.task, .phrases = {rules.phrases[i]}});
      const auto made = routing::Classifier::make(one, {rules.task});
      const std::string path = fmt::format("auto.phrases.{}[{}]", rules.task, i);
      if (!made)
        reader.complain(Rule::BadRouting, reader.provenance.place_of(path), path,
                        made.error().message());
    }
  }
}

}  // namespace

void check_strategies(Reader& reader) {
  StrategyChecker(reader).run();
  check_phrases(reader);
}

void check_router(Reader& reader) {
  if (has_errors(reader.diagnostics)) return;
  std::string path;
  std::string message;
  if (const Result<routing::RouterOptions> options = router_options(reader.settings); !options) {
    path = options.error().param();
    message = options.error().message();
  } else if (const auto router = routing::Router::make(*options); !router) {
    path = router.error().param();
    message = router.error().message();
  } else {
    return;
  }
  if (path.starts_with("classifier")) path = "auto";
  reader.complain(Rule::BadRouting, reader.provenance.place_of(path), path,
                  fmt::format("`{}`: {}", path, message));
}

}  // namespace sluice::app
