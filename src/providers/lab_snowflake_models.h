// The models of the lab's Cortex. Chat models all speak as the lab's `chat` does; what each may be
// used for, and how long an embedding is, is as Snowflake has it. The lab's own models are there
// too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "providers/lab_models.h"
#include "wire/chat.h"

namespace sluice::providers {

// By name, without faults behind it. Messages know models of Anthropic only.
std::optional<LabModel> lab_snowflake_model(std::string_view name, chat::Endpoint endpoint);
// GET /api/v2/cortex/models: {"models":["claude-sonnet-4-5",...]}
std::string lab_snowflake_models_body();

}  // namespace sluice::providers
