// What the names in targets stand for: providers and their models, tiers, aliases, routes and
// tasks. Says of a name that stands for nothing which was perhaps meant. Used once per load.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_reader.h"

namespace sluice::app {

class TargetNames {
 public:
  // `reader` must outlive this; names of what comes into its settings later are not known.
  explicit TargetNames(Reader& reader);

  bool is_provider(std::string_view name) const { return providers_.contains(name); }
  bool is_route(std::string_view name) const { return routes_.contains(name); }
  // The provider of "provider/model"; null: the text does not begin with one's name.
  const ProviderSettings* provider_of(std::string_view text) const;

  // A text of which provider_of() knows the provider, as a target; complains and gives nothing when
  // it does not serve that model.
  std::optional<Target> target(const std::string& text, const std::string& path);
  // Complains about a name that means nothing at `path`. `self`: the route that names it.
  void unknown(const std::string& text, const std::string& path, std::string_view self);

 private:
  Reader& reader_;
  std::map<std::string, const ProviderSettings*, std::less<>> providers_;
  std::set<std::string, std::less<>> lists_;   // tiers and aliases
  std::set<std::string, std::less<>> routes_;  // with a strategy
  std::set<std::string, std::less<>> tasks_;
};

}  // namespace sluice::app
