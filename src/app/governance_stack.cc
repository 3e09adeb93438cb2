#include "app/governance_stack.h"

#include <algorithm>

#include "app/secret_file.h"

namespace sluice::app {
namespace {

static_assert(telemetry::kSpendQuarterMicros == governance::kQuarterMicros);

constexpr std::string_view kPepperFile = "/key-pepper";

// Without it no key of this installation is known any more.
Result<Secret> find_pepper(const Settings& settings) {
  if (!settings.governance.pepper.empty()) return settings.governance.pepper;
  return kept_secret(settings.server.data_dir + std::string(kPepperFile));
}

std::unordered_map<std::string, governance::SpendHistory> history_of(
    const std::vector<telemetry::SpendSums>& spent) {
  std::unordered_map<std::string, governance::SpendHistory> history;
  for (const telemetry::SpendSums& each : spent) {
    governance::SpendHistory& to = history[each.subject];
    to.total = each.total;
    for (const auto& [quarter, charged] : each.quarters) to.quarters.push_back({quarter, charged});
  }
  return history;
}

}  // namespace

Result<std::unique_ptr<GovernanceStack>> GovernanceStack::open(
    const Settings& settings, const Clock& clock, std::vector<telemetry::SpendSums> spent) {
  Result<Secret> pepper = find_pepper(settings);
  if (!pepper) return std::move(pepper).error();
  std::unique_ptr<GovernanceStack> stack(
      new GovernanceStack(clock, *std::move(pepper), history_of(spent)));
  if (!settings.redis.url.empty()) stack->accounts_.share_with(stack->peers_);
  return stack;
}

Result<std::shared_ptr<const governance::Directory>> GovernanceStack::build(
    governance::DirectoryParts parts) {
  return governance::Directory::build(std::move(parts), accounts_, digester_, clock_.wall_micros());
}

bool has_limits(const Settings& settings) {
  const auto limited = [](const LimitSettings& limits) {
    return limits.requests_per_minute != 0 || limits.tokens_per_minute != 0 ||
           limits.parallel != 0 || !limits.budgets.json.empty();
  };
  const auto any = [&](const auto& items) {
    return std::any_of(items.begin(), items.end(),
                       [&](const auto& item) { return limited(item.limits); });
  };
  return any(settings.organisations) || any(settings.teams) || any(settings.keys) ||
         limited(settings.end_users);
}

}  // namespace sluice::app
