#include "app/governance_stack.h"

#include "app/directory_builder.h"
#include "app/kept_secret.h"

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
    const Settings& settings) {
  return governance::Directory::build(directory_parts(settings, digester_), accounts_, digester_,
                                      clock_.wall_micros());
}

}  // namespace sluice::app
