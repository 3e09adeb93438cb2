// The last steps of a load: what one setting takes from others, and what must fit together.
#pragma once

#include "app/config_reader.h"

namespace sluice::app {

// Fills what no source gave and the table has no fixed default for: a provider's timeouts, its base
// URL and proxy, the ledger's path, the default provider.
void derive(Reader& reader, const Surroundings& around);

// Complains about required keys that are missing and settings that contradict each other.
void check_together(Reader& reader);

}  // namespace sluice::app
