// What `sluice usage` and `sluice ledger verify` show, from the rows of the ledger.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/sqlite.h"
#include "telemetry/meters.h"
#include "telemetry/price.h"

namespace sluice::telemetry {

enum class UsageGroup : uint8_t { Model, Provider, Alias, User, Day, Outcome };

// "model", "provider", ...; nothing for any other word.
std::optional<UsageGroup> usage_group_named(std::string_view name);

struct UsageQuery {
  UsageGroup by = UsageGroup::Model;
  // Micro-seconds since 1970 UTC; from `since` on, before `until`.
  std::optional<int64_t> since_micros;
  std::optional<int64_t> until_micros;
};

struct UsageLine {
  std::string name;  // of the group; days are UTC, "2026-11-23"; empty: the rows name none
  int64_t requests = 0;
  int64_t failed = 0;     // outcome not ok
  int64_t unpriced = 0;   // requests whose cost nobody knows; not in `cost`
  int64_t estimated = 0;  // requests whose tokens are an estimate
  TokenCounts tokens;
  NanoDollars cost = 0;
  int64_t credits = 0;  // nano-credits, of requests priced in credits
};

struct UsageReport {
  std::vector<UsageLine> lines;  // by cost, then requests, falling; days in their order
  UsageLine total;               // the sum of the lines
};

Result<UsageReport> usage_report(const store::Database& database, const UsageQuery& query);

struct VerifyReport {
  int64_t rows = 0;
  std::vector<std::string> problems;  // empty: the ledger is sound
};
// Reads everything: structure of the file, order and uniqueness of keys, rules between columns, and
// that the kept sums equal the sums of the rows.
Result<VerifyReport> verify_ledger(const store::Database& database);

}  // namespace sluice::telemetry
