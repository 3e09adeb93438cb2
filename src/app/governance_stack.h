// Keys, budgets and limits of the process: what outlives every configuration of them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/settings.h"
#include "base/result.h"
#include "base/time.h"
#include "governance/accounts.h"
#include "governance/directory.h"
#include "telemetry/caller_sink.h"

namespace sluice::app {

class GovernanceStack {
 public:
  // `spent`: what the ledger says. The pepper is read, or made and kept in the data
  // directory.
  static Result<std::unique_ptr<GovernanceStack>> open(const Settings& settings, const Clock& clock,
                                                       std::vector<telemetry::SpendSums> spent);

  // Accounts get their policies. Nothing changes on an error.
  Result<std::shared_ptr<const governance::Directory>> build(governance::DirectoryParts parts);

  governance::Accounts& accounts() { return accounts_; }
  // With whom the accounts share, if the settings name a Redis.
  governance::Peers& peers() { return peers_; }
  const governance::KeyDigester& digester() const { return digester_; }

 private:
  GovernanceStack(const Clock& clock, Secret pepper,
                  std::unordered_map<std::string, governance::SpendHistory> history)
      : clock_(clock), digester_(std::move(pepper)), accounts_(std::move(history)) {}

  const Clock& clock_;
  governance::KeyDigester digester_;
  governance::Peers peers_;
  governance::Accounts accounts_;
};

// Whether any of these settings limits anybody.
bool has_limits(const Settings& settings);

}  // namespace sluice::app
