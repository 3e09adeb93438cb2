// From the name a caller gave as `model` to the ordered targets that may answer. Pure and
// immutable: built from the configuration, shared by all loops.
//
// A name is looked up in this order: tier or alias, "provider/model", a model that a provider
// lists, and last, if there is a default provider and it is open, any name at all. The first that
// knows the name decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace sluice::routing {

struct ProviderNames {
  std::string name;
  std::vector<std::string> models;
  bool open = true;  // takes model names that nobody listed
};

struct RouterOptions {
  std::vector<ProviderNames> providers;
  // Tiers and aliases: a name and its ordered "provider/model" entries.
  std::vector<std::pair<std::string, std::vector<std::string>>> tiers;
  std::string default_provider;  // empty: the only one, or none when there are several
};

// A model of a provider. `slot` numbers the (alias, provider, model) triples known from the
// configuration, for whoever keeps something per triple; a model name that only the caller knows
// shares the slot of its provider's others.
struct Target {
  uint16_t provider = 0;
  uint32_t slot = 0;
  std::string model;  // as the upstream wants it
};

struct Route {
  std::string alias;  // tier or alias the caller named; empty for a model
  std::vector<Target> targets;
};

// What a slot stands for. `model` is "*" for names only callers know.
struct Slot {
  std::string alias;
  uint16_t provider;
  std::string model;
};

class Router {
 public:
  // Errors name the entry at fault; `check` reports the same with line and column.
  static Result<Router> make(const RouterOptions& options);

  // Known from the configuration: no allocation. Null: see resolve_open().
  const Route* find(std::string_view name) const;
  // For names that are not in the configuration: "provider/anything" of an open provider, or a bare
  // name for the default provider, where there is one. ModelNotFound, naming the nearest known
  // ones.
  Result<Route> resolve_open(std::string_view name) const;

  const std::vector<Slot>& slots() const { return slots_; }
  // What a caller may ask for: tiers and aliases, then models, each in the order of the
  // configuration.
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  explicit Router(const RouterOptions& options) : providers_(options.providers) {}
  Result<Target> parse_target(const std::string& text, const std::string& alias);
  uint32_t slot_of(const std::string& alias, uint16_t provider, const std::string& model);
  void add_name(const std::string& name, Route route);
  void add_models();
  Result<void> add_tiers(const RouterOptions& options);
  Error not_found(std::string_view name) const;

  std::vector<ProviderNames> providers_;
  std::optional<uint16_t> default_provider_;
  std::vector<Slot> slots_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, Route, Hash, std::equal_to<>> routes_;
};

}  // namespace sluice::routing
