#include "app/config_routes.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

#include "app/config_names.h"

namespace sluice::app {
namespace {

// Names that stand for names that stand for names: more than this is no plan but an accident.
constexpr int kMaxNesting = 32;

class RouteResolver {
 public:
  explicit RouteResolver(Reader& reader) : reader_(reader), settings_(reader.settings) {
    for (auto& route : settings_.tiers) routes_.try_emplace(route.name, Entry{"tiers", &route});
    for (auto& route : settings_.aliases) routes_.try_emplace(route.name, Entry{"aliases", &route});
    for (const auto& route : settings_.routes) strategies_.insert(route.name);
    tasks_.reserve(settings_.tasks.size());
    for (auto& route : settings_.tasks) tasks_.push_back(Entry{"tasks", &route});
    for (const auto& provider : settings_.providers) providers_.emplace(provider.name, &provider);
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
      if (routes_.contains(route.name) || providers_.contains(route.name))
        complain(Rule::NameClash, "routes." + route.name,
                 fmt::format("`{}` is a route and something else too", route.name));
    for (const auto& alias : settings_.aliases)
      if (routes_.at(alias.name).route != &alias)
        complain(Rule::NameClash, "aliases." + alias.name,
                 fmt::format("`{}` is both an alias and a tier", alias.name));
    for (const auto& [name, entry] : routes_)
      if (providers_.contains(name))
        complain(Rule::NameClash, fmt::format("{}.{}", entry.section, name),
                 fmt::format("`{}` is both {} and a provider", name,
                             entry.section == "tiers" ? "a tier" : "an alias"));
  }

  void expand_rule(const std::string& name, Route& targets) {
    targets.name = name;
    Entry entry{"resilience", &targets};
    expand(entry, 0);
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
    const size_t slash = text.find('/');
    const auto provider = text.substr(0, slash);
    if (slash != std::string::npos && providers_.contains(provider))
      return one_target(entry, item, provider, text.substr(slash + 1));
    const auto inner = routes_.find(text);
    if (inner == routes_.end() && strategies_.contains(text)) {
      entry.route->strategy = text;
      if (entry.route->entries.size() > 1)
        complain(Rule::NeedsOther, path_of_item(entry, item),
                 fmt::format("`{}` is a route with a strategy of its own and must stand alone here",
                             text),
                 "give that route a fallback to the other targets");
      return {};
    }
    if (inner == routes_.end()) {
      unknown(entry, item);
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

  std::vector<Target> one_target(const Entry& entry, size_t item, const std::string& name,
                                 std::string model) {
    const auto& provider = *providers_.at(name);
    if (model.empty()) {
      complain(Rule::BadName, path_of_item(entry, item), fmt::format("`{}/` names no model", name));
      return {};
    }
    const auto& models = provider.models;
    if (!provider.open && std::find(models.begin(), models.end(), model) == models.end()) {
      const std::vector<std::string_view> known(models.begin(), models.end());
      auto hint = did_you_mean(model, known);
      if (hint.empty()) hint = fmt::format("add it to `providers.{}.models`", name);
      complain(Rule::ModelNotServed, path_of_item(entry, item),
               fmt::format("provider `{}` does not list the model `{}`", name, model),
               std::move(hint));
      return {};
    }
    std::vector<Target> targets(1);
    targets.front().provider = name;
    targets.front().model = std::move(model);
    return targets;
  }

  void unknown(const Entry& entry, size_t item) {
    const std::string& text = entry.route->entries[item];
    const size_t slash = text.find('/');
    std::vector<std::string_view> names;
    for (const auto& [name, provider] : providers_) names.push_back(name);
    if (slash != std::string::npos)
      return complain(Rule::UnknownProvider, path_of_item(entry, item),
                      fmt::format("no provider is called `{}`", text.substr(0, slash)),
                      did_you_mean(std::string_view(text).substr(0, slash), names));
    if (providers_.contains(text))
      return complain(Rule::UnknownProvider, path_of_item(entry, item),
                      fmt::format("`{}` is a provider without a model", text),
                      fmt::format("write `{}/model`", text));
    names.clear();
    for (const auto& [name, route] : routes_)
      if (name != entry.route->name) names.push_back(name);
    for (const auto& name : strategies_) names.push_back(name);
    auto hint = did_you_mean(text, names);
    if (hint.empty()) hint = "write `provider/model`";
    complain(Rule::UnknownProvider, path_of_item(entry, item),
             fmt::format("`{}` is neither `provider/model` nor a tier, alias or route", text),
             std::move(hint));
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
  std::map<std::string, Entry, std::less<>> routes_;
  std::map<std::string, const ProviderSettings*, std::less<>> providers_;
  std::set<std::string, std::less<>> strategies_;
  std::vector<Entry> tasks_;
  std::vector<const Entry*> underway_;
};

}  // namespace

void resolve_routes(Reader& reader) {
  RouteResolver(reader).run();
}

}  // namespace sluice::app
