// Every table of the embedded store, as a list of numbered migrations that only go forward. One
// file shows the whole shape of the data; the SQL that reads and writes a table stands beside its
// owner.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/sqlite.h"

namespace sluice::store {

struct Migration {
  int version;  // 1, 2, 3, ...
  std::string_view what;
  const char* sql;
};

std::span<const Migration> migrations();

// Brings the database to the newest version in one transaction: all of it or nothing. Refuses a
// database that a newer program made, and one that is none of ours.
Result<void> migrate(Database& database);
// Opens the store for the gateway: checks a small file whole and a large one by its first pages (a
// complete check is for `sluice ledger verify`), then migrates. A damaged file is an error, never
// an empty store.
Result<Database> open_store(const std::string& path);
// For tests and tools: the same with another list.
Result<void> migrate(Database& database, std::span<const Migration> list);

}  // namespace sluice::store
