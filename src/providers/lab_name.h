// The name of a model as a request has it: a model, faults, or a model with faults behind it, each
// joined by '+'.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "providers/lab_face.h"
#include "providers/lab_faults.h"
#include "providers/lab_models.h"

namespace sluice::providers {

struct LabNamed {
  std::optional<LabModel> model;  // nothing: the name holds faults alone
  LabPlan plan;                   // the plan before, and what the name adds to it
  std::string stranger;           // the first part that is neither a model nor a fault
};

LabNamed read_lab_name(const LabFace& face, chat::Endpoint endpoint, std::string_view name,
                       const LabPlan& before = {});

}  // namespace sluice::providers
