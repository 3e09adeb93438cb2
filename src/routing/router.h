// From what a caller asked to the ordered targets that may answer, with the reason in words. Pure
// and immutable: built from the configuration, shared by all loops.
//
// What decides, in this order:
//   1. a model that is known: "task/name", a tier, alias or route, "provider/model", a model that a
//      provider lists. It is a choice made by hand, so it stands above the task of the header;
//   2. the task of x-sluice-task, when the model is unknown, empty or "auto". An unknown model is
//      then what "provider/*" targets ask for;
//   3. model "auto": the task that the classifier finds, where there is one;
//   4. if there is a default provider and it is open, any model name at all.
// A task that is not known is refused wherever it stands, and the label `restricted` of a task
// holds even when the model decides.
//
// Restricted requests, and routes, keep only targets whose provider is marked local.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "routing/classifier.h"
#include "routing/facts.h"
#include "routing/strategy.h"
#include "routing/target.h"

namespace sluice::routing {

// As `model`: let the classifier find the task.
inline constexpr std::string_view kAuto = "auto";

struct ProviderNames {
  std::string name;
  std::vector<std::string> models;
  bool open = true;    // takes model names that nobody listed
  bool local = false;  // restricted data may go there
};

enum class RouteKind : uint8_t { Tier, Alias, Route, Task };

// A task has its own names: it is asked for by header or as "task/name". All others share theirs.
struct RouteOptions {
  std::string name;
  RouteKind kind = RouteKind::Route;
  NodeOptions root;
  bool restricted = false;
  Sticky sticky = Sticky::None;  // of its weighted nodes, and of those of routes it names that say
                                 // nothing themselves
  Timeouts timeouts;             // of its targets that say nothing closer
  // Of a route that is only another's name, both also follow that one.
  bool continues = false;
  bool fallback = true;
};

struct RouterOptions {
  std::vector<ProviderNames> providers;
  // Tiers and aliases that are plain lists: a name and its ordered "provider/model" entries.
  std::vector<std::pair<std::string, std::vector<std::string>>> tiers;
  std::string default_provider;  // empty: the only one, or none when there are several
  std::vector<RouteOptions> routes;
  std::optional<ClassifierOptions> classifier;  // absent: "auto" is a name like any other
};

// What a slot stands for. `model` is "*" for names only callers know.
struct Slot {
  std::string alias;
  uint16_t provider;
  std::string model;
};

// A route of the router, or one made for this request. `route()` lives as long as the
// Decision and the Router.
class Decision {
 public:
  explicit Decision(const Route* known) : known_(known) {}
  explicit Decision(Route own) : own_(std::make_unique<Route>(std::move(own))) {}

  const Route& route() const { return own_ ? *own_ : *known_; }
  const std::string& reason() const { return route().reason; }
  // Hands over a route made for this request, and with it this decision; null: the router has it.
  std::unique_ptr<Route> take() { return std::move(own_); }

  // For the Router: more words at the end of the reason; others in place of how it begins.
  void add(const std::string& words);
  void begin_with(const std::string& head, size_t instead_of);

 private:
  const Route* known_ = nullptr;
  std::unique_ptr<Route> own_;
};

class Router {
 public:
  // Errors name the entry at fault; `check` reports the same with line and column.
  static Result<Router> make(const RouterOptions& options);

  Router(Router&&) = default;
  Router& operator=(Router&&) = default;

  // Allocates nothing where the answer is the same for every request. Errors: ModelNotFound or
  // BadRequest, naming the nearest known ones; Forbidden when no target may see restricted data.
  Result<Decision> decide(const Facts& facts) const;

  // What decide() answers for a model whose answer is the same for every request, restricted ones
  // aside; null for all others.
  const Route* find(std::string_view name) const;
  // For names that are not in the configuration: "provider/anything" of an open provider, or a bare
  // name for the default provider, where there is one. ModelNotFound, naming the nearest known
  // ones.
  Result<Route> resolve_open(std::string_view name) const;

  const std::vector<Slot>& slots() const { return slots_; }
  // What a caller may ask for as `model`: tiers, aliases and routes, tasks, "auto", then models,
  // each in the order of the configuration.
  const std::vector<std::string>& names() const { return names_; }

 private:
  friend class RouterBuilder;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  // Something with a name. Static ones carry their answers; others are evaluated.
  struct Entry {
    std::string head;  // how a reason begins: "tier tier1"
    std::string task;  // its name, of a task
    Node root;
    bool is_static = false;
    bool restricted = false;
    Route all;    // the answer; of others what is the same in each: alias and settings
    Route local;  // the answer to restricted requests
  };

  Router() = default;
  Result<Decision> decide_entry(const Entry& entry, const Facts& facts, bool restricted) const;
  Result<Decision> evaluate(const Entry& entry, const Facts& facts, std::string_view model,
                            bool restricted) const;
  Result<Decision> decide_task(const Entry& task, const Facts& facts, bool restricted) const;
  Result<Decision> decide_auto(const Facts& facts, bool restricted) const;
  Result<Decision> decide_open(const Facts& facts, bool restricted) const;
  Result<Decision> beside(Result<Decision> decision, const std::string& chosen_task,
                          const Entry* task) const;
  std::optional<uint16_t> provider_before_slash(std::string_view name) const;
  bool names_open_provider(std::string_view name) const;
  Error not_found(std::string_view name) const;
  Error unknown_task(std::string_view name, Outcome outcome, std::string param) const;

  std::vector<ProviderNames> providers_;
  std::optional<uint16_t> default_provider_;
  std::vector<Slot> slots_;
  std::vector<std::string> names_;
  std::vector<std::string> task_names_;
  std::deque<Timeouts> timeouts_;  // that targets point to
  ByName<Entry> entries_;          // by model
  ByName<Entry> tasks_;            // by name, as x-sluice-task has it
  std::optional<Classifier> classifier_;
};

}  // namespace sluice::routing
