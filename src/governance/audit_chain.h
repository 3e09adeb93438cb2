// The audit chain: who changed what, in rows that each seal the one before, so that none can be
// changed, taken out or moved without all later ones showing it.
//
//   hash = SHA-256(prev | [seq,time,"actor","action","target","before","after"])
//
// `prev` is the 32 bytes of the hash before (zeros for the first row); the rest is that JSON array
// without white space, strings escaped as base/text_out.h does. Rows cut off the end leave a chain
// that is sound: that shows only against a head that was written down elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "governance/virtual_key.h"
#include "store/sqlite.h"

namespace sluice::governance {

// What happened. Secrets are masked before they come here.
struct AuditNote {
  std::string actor;   // name of an admin token, "file", "gateway"
  std::string action;  // "key.create"
  std::string target;  // name of what was changed
  std::string before;  // JSON; empty: it was not there
  std::string after;   // JSON; empty: it is gone
};

struct AuditEntry {
  int64_t seq = 0;  // from 1
  int64_t time_micros = 0;
  AuditNote note;
  Digest prev{};
  Digest hash{};
};

// The end of a chain: what an operator writes down.
struct AuditHead {
  int64_t seq = 0;  // 0: no rows
  Digest hash{};
};
// "42:9f86d0…", 64 hex digits.
std::string text_of(const AuditHead& head);
std::optional<AuditHead> audit_head_of(std::string_view text);

Digest audit_hash(const AuditEntry& entry);
// A line of JSON, without line break; hashes in hex, before and after as they are.
void append_entry(std::string& out, const AuditEntry& entry);

Result<AuditHead> read_audit_head(const store::Database& database);
// Inside a transaction: becomes part of it.
Result<AuditEntry> append_audit(const store::Database& database, AuditNote note,
                                int64_t wall_micros);
// Rising, above `after`.
Result<void> for_each_audit(const store::Database& database, int64_t after,
                            const std::function<void(const AuditEntry&)>& each);
// Falling, below `before`, at most `limit`.
Result<std::vector<AuditEntry>> latest_audit(const store::Database& database, int64_t before,
                                             size_t limit);

struct AuditReport {
  int64_t rows = 0;
  AuditHead head;
  std::vector<std::string> problems;  // the first ones; empty: sound
};
// `known`: a head that was written down earlier.
Result<AuditReport> verify_audit(const store::Database& database,
                                 const std::optional<AuditHead>& known);

}  // namespace sluice::governance
