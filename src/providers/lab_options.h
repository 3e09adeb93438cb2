// What the lab is told when it starts.
#pragma once

#include <cstdint>
#include <vector>

#include "providers/lab_chance.h"
#include "providers/lab_esc.h"
#include "providers/lab_snowflake_auth.h"

namespace sluice::providers {

struct LabOptions {
  LabSnowflakeAuth snowflake;
  std::vector<LabChance> chances;
  LabEscSource esc;          // empty: there are no environments
  int64_t price_factor = 1;  // every price is that many times what lab_models() says
};

}  // namespace sluice::providers
