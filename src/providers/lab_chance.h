// Faults that strike a share of all requests, as a sick provider's do: `sluice lab --fault
// status-503=5%`. Which ones they strike is decided by the seed and the number of the request.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::providers {

struct LabChance {
  std::string faults;    // names of lab_faults.h joined by '+'
  uint32_t per_million;  // of the requests
};

// Each text is "FAULT=SHARE%"; the share may have a fraction and is 100 % where it is missing. No
// request is struck by two of them, so the shares together are at most 100 %.
Result<std::vector<LabChance>> parse_lab_chances(std::span<const std::string> texts);

// What strikes request `number`; empty: nothing.
std::string_view draw_lab_faults(std::span<const LabChance> chances, uint64_t seed,
                                 uint64_t number);

}  // namespace sluice::providers
