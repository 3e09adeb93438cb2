// Every table of the embedded stores, as lists of numbered migrations that only go forward. One
// file shows the whole shape of a database; the SQL that reads and writes a table stands beside its
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

// One database of ours: which files are it, and how one comes to be.
struct Schema {
  int64_t application_id;  // marks its files
  std::span<const Migration> migrations;
};

// What was asked and what it cost. Its migrations:
std::span<const Migration> migrations();
const Schema& ledger_schema();
// What the admin API made, and who changed what: control_schema.cc.
const Schema& control_schema();
// Prompts and answers of the keys that keep them: bodies_schema.cc.
const Schema& bodies_schema();

// Brings the database to the newest version in one transaction: all of it or nothing. Refuses a
// database that a newer program made, and one that is not of this schema.
Result<void> migrate(Database& database, const Schema& schema = ledger_schema());
// Opens a store for the gateway: checks a small file whole and a large one by its first pages (a
// complete check is for `sluice ledger verify`), then migrates. A damaged file is an error, never
// an empty store.
Result<Database> open_store(const std::string& path, const Schema& schema = ledger_schema(),
                            OpenOptions options = {});
// For tests and tools: the ledger with another list.
Result<void> migrate(Database& database, std::span<const Migration> list);

}  // namespace sluice::store
