// The models of the lab's OpenRouter: some well-known names beside the lab's own, each with the
// suffixes that OpenRouter knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "providers/lab_models.h"
#include "wire/chat.h"

namespace sluice::providers {

// "author/slug" or "author/slug:suffix", without faults behind it. A `:free` one costs nothing.
std::optional<LabModel> lab_openrouter_model(std::string_view name, chat::Endpoint endpoint);

// GET /models: a page of them. `target` is the request's, with its query `offset` and `limit`.
std::string lab_openrouter_models_body(std::string_view target, int64_t price_factor);

}  // namespace sluice::providers
