// `sluice bodies`: prompts and answers that a running gateway has kept, by way of its admin API, so
// that each reading is in the audit chain.
#pragma once

#include <string>

#include "app/admin_client.h"
#include "app/commands/check.h"

namespace sluice::app {

struct BodiesCommand {
  AdminAccess access;
  std::string request_id;  // of show
  // Of forget, one of them.
  std::string key;
  std::string user;
};

CommandResult show_bodies(const BodiesCommand& command, const Surroundings& around);
// Prints how many exchanges had something that is gone now.
CommandResult forget_bodies(const BodiesCommand& command, const Surroundings& around);

}  // namespace sluice::app
