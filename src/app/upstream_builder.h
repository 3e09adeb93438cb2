// Providers as the configuration has them, made into upstreams.
#pragma once

#include <memory>

#include "app/settings.h"
#include "base/result.h"
#include "providers/upstream.h"

namespace sluice::app {

struct LabAddress {
  std::string host;
  uint16_t port = 0;
};

// `workers`: the loops that share its limits. Errors name the setting at fault in `param`: a file
// that cannot be used, a preset that is none.
Result<std::unique_ptr<const providers::Upstream>> make_upstream(const ProviderSettings& provider,
                                                                 const LabAddress& lab,
                                                                 unsigned workers);

}  // namespace sluice::app
