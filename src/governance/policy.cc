#include "governance/policy.h"

namespace sluice::governance {

std::string_view name_of(Level level) {
  constexpr std::string_view kNames[kLevelCount] = {"organisation", "team", "key", "user"};
  return kNames[static_cast<size_t>(level)];
}

std::string_view name_of(Step step) {
  constexpr std::string_view kNames[kStepCount] = {"none",           "warn",       "cheaper_tier",
                                                   "smaller_output", "cache_only", "block"};
  return kNames[static_cast<size_t>(step)];
}

}  // namespace sluice::governance
