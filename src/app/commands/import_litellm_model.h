// One deployment of a LiteLLM model_list: who it is for Sluice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/commands/import_draft.h"

namespace sluice::app {

struct LiteLlmModel {
  std::string name;        // that callers send
  std::string target;      // "provider/model"
  double weight = 0;       // 0: nothing said
  int64_t order = 0;       // the lowest is asked first; those of one order are drawn by weight
  int64_t timeout_ms = 0;  // 0: nothing said
};

// Puts its provider into `draft`, under none of the `taken` names. Nothing, and a note, when Sluice
// has no way to it, or takes any name for it without a route.
std::optional<LiteLlmModel> litellm_model(const Node& entry, const std::string& path,
                                          const std::vector<std::string>& taken, Draft& draft);

}  // namespace sluice::app
