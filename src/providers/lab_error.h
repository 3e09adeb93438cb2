// What the lab refuses a request with. A face (lab_face.h) puts it in its own words and shape.
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
  std::string headers;  // complete lines, beside the usual ones
  // Not empty: somebody in front of the provider speaks, in these very bytes, and the provider's
  // own headers are not there.
  std::string body;
};

// What OpenAI says with this status, as far as anybody knows.
LabError lab_error_of_status(int status);

}  // namespace sluice::providers
