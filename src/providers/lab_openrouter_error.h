// Errors as OpenRouter words them: {"error":{"code":int,"message","metadata":{"error_type"}}}.
#pragma once

#include <string>
#include <string_view>

#include "providers/lab_error.h"

namespace sluice::providers {

struct LabOpenRouterError {
  int status;
  std::string_view type;  // of its vocabulary of `error_type`
  std::string_view message;
};
// The words for a status; those for 500 where it has none.
const LabOpenRouterError& lab_openrouter_error(int status);

LabError lab_openrouter_reword(LabError error);
std::string lab_openrouter_error_body(const LabError& error, std::string_view request_id);

}  // namespace sluice::providers
