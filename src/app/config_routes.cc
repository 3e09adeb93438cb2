#include "app/config_routes.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "app/config_target_names.h"

namespace sluice::app {
namespace {

// Names that stand for names that stand for names: more than this is no plan but an accident.
constexpr int kMaxNesting = 32;

class RouteResolver {
 public:
  explicit RouteResolver(Reader& reader)
      : reader_(reader), settings_(reader.settings), names_(reader) {
    for (auto& route : settings_.tiers) routes_.try_emplace(route.name, Entry{"tiers", &route});
    for (auto& route : settings_.aliases) routes_.try_emplace(route.name, Entry{"aliases", &route});
    tasks_.reserve(settings_.tasks.size());
    for (auto& route : settings_.tasks) tasks_.push_back(Entry{"tasks", &route});
  }

  void run() {
    find_clashes();
    for (auto& [name, entry] : routes_) expand(entry, 0);
    for (auto& entry : tasks_) expand(entry, 0);
    expand_rule("on_context_overflow", settings_.resilience.on_context_overflow);
    expand_rule("on_content_policy", settings_.resilience.on_content_policy);
  }

 private:
  enum class State { Untouched, Underway, Done };
  struct Entry {
    std::string_view section;
    Route* route;
    State state = State::Untouched;
    int nesting = 0;
  };

  static std::string path_of_item(const Entry& entry, size_t item) {
    return fmt::format("{}.{}[{}]", entry.section, entry.route->name, item);
  }

  void complain(Rule rule, const std::string& path, std::string message, std::string hint = "") {
    reader_.complain(rule, reader_.provenance.place_of(path), path, std::move(message),
                     std::move(hint));
  }

  void find_clashes() {
    for (const auto& route : settings_.routes)
      if (routes_.contains(route.name) || names_.is_provider(route.name))
        complain(Rule::NameClash, "routes." + route.name,
                 fmt::format("`{}` is a route and something else too", route.name));
    for (const auto& alias : settings_.aliases)
      if (routes_.at(alias.name).route != &alias)
        complain(Rule::NameClash, "aliases." + alias.name,
                 fmt::format("`{}` is both an alias and a tier", alias.name));
    for (const auto& [name, entry] : routes_)
      if (names_.is_provider(name))
        complain(Rule::NameClash, fmt::format("{}.{}", entry.section, name),
                 fmt::format("`{}` is both {} and a provider", name,
                             entry.section == "tiers" ? "a tier" : "an alias"));
    for (const auto& alias : settings_.aliases)
      if (alias.name.starts_with("task/"))
        complain(Rule::NameClash, "aliases." + alias.name, "`task/NAME` asks for a task");
    if (settings_.tasks.empty()) return;
    // What `model: auto` asks for as soon as there are tasks.
    const auto reserved = [&](std::string_view section) {
      complain(Rule::NameClash, fmt::format("{}.auto", section),
               "`auto` as a model asks for the task that a text speaks for", "take another name");
    };
    if (const auto found = routes_.find("auto"); found != routes_.end())
      reserved(found->second.section);
    if (names_.is_route("auto")) reserved("routes");
  }

  void expand_rule(const std::string& name, Route& targets) {
    targets.name = name;
    Entry entry{"resilience", &targets};
    expand(entry, 0);
    if (!targets.strategy.empty())
      complain(Rule::NeedsOther, path_of_item(entry, 0),
               fmt::format("`{}` chooses by a strategy of its own; here stand targets only",
                           targets.strategy));
  }

  void expand(Entry& entry, int depth) {
    if (entry.state != State::Untouched) return;
    entry.state = State::Underway;
    underway_.push_back(&entry);
    std::set<std::pair<std::string, std::string>> seen;
    for (size_t i = 0; i < entry.route->entries.size(); ++i) {
      bool adds_something = false;
      const auto found = targets_of(entry, i, depth);
      for (const auto& target : found) {
        if (!seen.emplace(target.provider, target.model).second) continue;
        entry.route->targets.push_back(target);
        adds_something = true;
      }
      if (!adds_something && !found.empty())
        complain(Rule::UnreachableTarget, path_of_item(entry, i),
                 fmt::format("`{}` stands earlier in `{}` and is never tried here",
                             entry.route->entries[i], entry.route->name),
                 "remove it");
    }
    underway_.pop_back();
    entry.state = State::Done;
  }

  std::vector<Target> targets_of(Entry& entry, size_t item, int depth) {
    const std::string& text = entry.route->entries[item];
    if (names_.provider_of(text) != nullptr) {
      std::optional<Target> target = names_.target(text, path_of_item(entry, item));
      return target ? std::vector<Target>{*std::move(target)} : std::vector<Target>{};
    }
    const auto inner = routes_.find(text);
    if (inner == routes_.end() && names_.is_route(text)) {
      entry.route->strategy = text;
      if (entry.route->entries.size() > 1)
        complain(Rule::NeedsOther, path_of_item(entry, item),
                 fmt::format("`{}` is a route with a strategy of its own and must stand alone here",
                             text),
                 "give that route a fallback to the other targets");
      return {};
    }
    if (inner == routes_.end()) {
      names_.unknown(text, path_of_item(entry, item), entry.route->name);
      return {};
    }
    return inner_targets(entry, item, inner->second, depth);
  }

  std::vector<Target> inner_targets(Entry& entry, size_t item, Entry& inner, int depth) {
    if (inner.state == State::Underway) {
      circle(entry, item, inner);
      return {};
    }
    if (depth + 1 < kMaxNesting) expand(inner, depth + 1);
    entry.nesting = std::max(entry.nesting, inner.nesting + 1);
    if (inner.state == State::Untouched || entry.nesting >= kMaxNesting) {
      complain(Rule::RouteCycle, path_of_item(entry, item),
               fmt::format("names nest deeper than {} here", kMaxNesting));
      entry.nesting = 0;  // said once is enough
      return {};
    }
    if (!inner.route->strategy.empty()) {
      entry.route->strategy = inner.route->strategy;
      if (entry.route->entries.size() > 1)
        complain(Rule::NeedsOther, path_of_item(entry, item),
                 fmt::format("`{}` leads to the route `{}`, which must stand alone here",
                             inner.route->name, inner.route->strategy));
    }
    return inner.route->targets;
  }

  void circle(const Entry& entry, size_t item, const Entry& first) {
    std::string way;
    const auto from = std::find(underway_.begin(), underway_.end(), &first);
    for (auto at = from; at != underway_.end(); ++at)
      way += fmt::format("`{}` -> ", (*at)->route->name);
    complain(Rule::RouteCycle, path_of_item(entry, item),
             fmt::format("a circle: {}`{}`", way, first.route->name));
  }

  Reader& reader_;
  Settings& settings_;
  TargetNames names_;
  std::map<std::string, Entry, std::less<>> routes_;
  std::vector<Entry> tasks_;
  std::vector<const Entry*> underway_;
};

}  // namespace

void resolve_routes(Reader& reader) {
  RouteResolver(reader).run();
}

}  // namespace sluice::app
