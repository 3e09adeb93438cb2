// `sluice audit`: the chain of who changed what, read beside a running gateway or without one.
#pragma once

#include <cstdint>
#include <string>

#include "app/commands/check.h"

namespace sluice::app {

struct AuditCommand {
  std::string control = "./sluice-data/control.db";
  std::string head;   // of verify: "42:9f86…", as verify printed it earlier
  int64_t after = 0;  // of export: rows above this number
  bool json = false;  // of verify
};

// Exit codes: 0 sound, 1 not, 2 it cannot be read.
CommandResult verify_audit(const AuditCommand& command);
// One JSON object a line. Exit codes: 0, or 2: it cannot be read.
CommandResult export_audit(const AuditCommand& command);

}  // namespace sluice::app
