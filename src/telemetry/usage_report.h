// What `sluice usage` shows: from the kept sums, and from rows where the asked time cuts an hour or
// the sums of an earlier version's rows are not made yet (usage_sums.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"
#include "telemetry/usage_sums.h"

namespace sluice::telemetry {

enum class UsageGroup : uint8_t {
  Model,
  Provider,
  Alias,
  User,
  Day,
  Outcome,
  Key,
  Team,
  Organisation,
  Environment,
};

// "model", "provider", ...; nothing for any other word.
std::optional<UsageGroup> usage_group_named(std::string_view name);

struct UsageQuery {
  UsageGroup by = UsageGroup::Model;
  // Micro-seconds since 1970 UTC; from `since` on, before `until`.
  std::optional<int64_t> since_micros;
  std::optional<int64_t> until_micros;
};

struct UsageLine : UsageSum {
  std::string name;  // of the group; days are UTC, "2026-11-23"; empty: the rows name none
};

struct UsageReport {
  std::vector<UsageLine> lines;  // by cost, then requests, falling; days in their order
  UsageLine total;               // the sum of the lines
};

Result<UsageReport> usage_report(const store::Database& database, const UsageQuery& query);

}  // namespace sluice::telemetry
