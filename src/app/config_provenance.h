// Who said what: for every setting all the places that gave it a value, the deciding one first.
// Plain data beside the Settings it belongs to; secrets are masked before they come in here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_diagnostic.h"

namespace sluice::app {

enum class Layer : uint8_t { Default, File, Environment, CommandLine };

struct Given {
  Layer layer = Layer::Default;
  Place place;        // source "default", a file, "environment X" or "command line --x"
  std::string value;  // as written there, after substitution; secrets masked
};

class Provenance {
 public:
  // A later call shadows the earlier ones.
  void give(const std::string& path, Given given) {
    auto& all = givens_[path];
    all.insert(all.begin(), std::move(given));
  }
  // The deciding one first; empty when nobody gave a value, not even a default.
  const std::vector<Given>& of(const std::string& path) const;
  const std::map<std::string, std::vector<Given>>& all() const { return givens_; }

  // Where a section ("server"), an entry of a map ("providers.eu") or an item of a list
  // ("tiers.fast[1]") stands. The first word counts.
  void locate(const std::string& path, Place place) { places_.emplace(path, std::move(place)); }
  // Where the key itself stands of what locate() found the value of.
  void locate_key(const std::string& path, Place place) { keys_.emplace(path, std::move(place)); }
  // Whether something was located there.
  bool knows(const std::string& path) const { return places_.contains(path); }
  // The item's place, or that of the nearest thing around it, or of nothing at all.
  Place place_of(const std::string& path) const;
  // The place of its key where that is known.
  Place place_of_key(const std::string& path) const;

 private:
  std::map<std::string, std::vector<Given>> givens_;
  std::map<std::string, Place> places_;
  std::map<std::string, Place> keys_;
  std::vector<Given> nobody_;  // stays empty
};

}  // namespace sluice::app
