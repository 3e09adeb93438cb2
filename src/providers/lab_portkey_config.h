// A Portkey config (`x-portkey-config` as JSON), checked as Portkey checks it, and what it makes of
// a request: which of its options serves it, with which model, cache and timeout.
//
// The lab follows a config to its first choice only: the first target of `single` and `fallback`,
// the first with a weight above 0 of `loadbalance`, the `default` of `conditional` (whose
// conditions are checked for their form).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::providers {

struct LabPortkeyConfig {
  // "path: strategy,mode, message: Invalid 'mode' value. ...", as Portkey lists them. When there is
  // one, nothing below counts.
  std::vector<std::string> errors;
  bool is_json = true;

  // Of the option that serves the request; what an option does not say it inherits.
  std::string option = "config";  // "config.targets[1].targets[0]"
  std::string provider;           // "@slug" or a vendor's name; empty: as the headers say
  std::string model;              // override_params.model; empty: the request's own
  bool has_key = false;           // `api_key`
  bool caches = false;
  int64_t retries = 0;
  std::optional<int64_t> timeout_ms;
};

LabPortkeyConfig read_lab_portkey_config(std::string_view json);

}  // namespace sluice::providers
