// `sluice lab`: the fake provider, on a port of its own.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::app {

struct LabArguments {
  std::string listen = "127.0.0.1:9000";
  uint64_t seed = 0;
  std::string cert_file;  // empty: plain HTTP
  std::string key_file;
};

// Serves until SIGTERM or SIGINT; returns the exit code.
int lab(const LabArguments& arguments);

}  // namespace sluice::app
