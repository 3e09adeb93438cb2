// Budgets as configuration files and the admin API write them, by name:
//
//   monthly: {amount: 500, per: month, time_zone: Europe/Berlin}
//   daily:
//     amount: 25.50              # dollars
//     per: day                   # day, week, month, total
//     kind: soft                 # hard (the default) refuses, soft only warns
//     shadow: true               # counts who would be refused, and lets them pass
//     ladder: {warn: 80%, cheaper_tier: 90%, smaller_output: 95%, cache_only: 98%, block: 100%}
//     cheaper: tier2             # for cheaper_tier
//     output_limit: 512          # tokens, for smaller_output
//     increase: {amount: 10, until: 2026-12-24}
#pragma once

#include <string>
#include <vector>

#include "app/config_diagnostic.h"
#include "governance/policy.h"

namespace sluice::app {

// What is wrong, and where: "keys.prod.budgets.daily.per".
struct BudgetFault {
  Rule rule;
  std::string path;
  std::string message;
  std::string hint;
};

struct Budgets {
  std::vector<governance::BudgetRule> rules;  // of use only without faults
  std::vector<BudgetFault> faults;
};

// `json`: the map; `path`: where it stands. Without a ladder a budget warns at 80 %.
Budgets read_budgets(const std::string& json, const std::string& path);

}  // namespace sluice::app
