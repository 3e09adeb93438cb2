#include "app/config_provenance.h"

namespace sluice::app {

const std::vector<Given>& Provenance::of(const std::string& path) const {
  const auto found = givens_.find(path);
  return found == givens_.end() ? nobody_ : found->second;
}

Place Provenance::place_of(const std::string& path) const {
  std::string around = path;
  while (true) {
    if (const auto found = places_.find(around); found != places_.end()) return found->second;
    if (const auto& all = of(around); !all.empty()) return all.front().place;
    const size_t end = around.find_last_of(".[");
    if (end == std::string::npos) return {};
    around.resize(end);
  }
}

Place Provenance::place_of_key(const std::string& path) const {
  const auto found = keys_.find(path);
  return found == keys_.end() ? place_of(path) : found->second;
}

}  // namespace sluice::app
