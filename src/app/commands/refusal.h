// What a command says of a reply of the admin API that is no success.
#pragma once

#include "app/admin_client.h"
#include "app/commands/check.h"

namespace sluice::app {

// In the words of the gateway; the exit code tells wrong usage from the rest.
CommandResult refusal(const AdminReply& reply);

}  // namespace sluice::app
