// What the lab is told when it starts.
#pragma once

#include <vector>

#include "providers/lab_chance.h"
#include "providers/lab_snowflake_auth.h"

namespace sluice::providers {

struct LabOptions {
  LabSnowflakeAuth snowflake;
  std::vector<LabChance> chances;
};

}  // namespace sluice::providers
