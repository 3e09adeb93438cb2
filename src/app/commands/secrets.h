// `sluice secrets`: what the gateway stores encrypted. Values come from stdin and are never shown.
#pragma once

#include <cstdint>
#include <string>

#include "app/admin_client.h"
#include "app/commands/check.h"
#include "base/time.h"

namespace sluice::app {

struct SecretsCommand {
  enum class Verb : uint8_t { Set, List, Delete };
  Verb verb = Verb::List;
  AdminAccess access;
  std::string name;
  std::string value;  // of Set; its last line break is no part of it
  bool json = false;
};
CommandResult secrets(SecretsCommand command, const Surroundings& around);

// Seals every secret in the gateway's control.db anew: from SLUICE_SECRETS_KEY to
// SLUICE_SECRETS_NEW_KEY (or _FILE of both), all of them or none.
CommandResult rekey_secrets(const std::string& control, const std::string& actor,
                            const Surroundings& around, const Clock& clock);

}  // namespace sluice::app
