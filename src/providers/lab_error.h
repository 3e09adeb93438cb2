// An error as OpenAI words it.
#pragma once

#include <string>
#include <string_view>

namespace sluice::providers {

struct LabError {
  int status = 400;
  std::string type = "invalid_request_error";
  std::string code;   // empty: null
  std::string param;  // empty: null
  std::string message;
};

// {"error":{"message":...,"type":...,"param":...,"code":...}}
std::string lab_error_body(const LabError& error);
// What the real provider says with this status, as far as anybody knows.
LabError lab_error_of_status(int status);

}  // namespace sluice::providers
