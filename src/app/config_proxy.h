// HTTPS_PROXY, HTTP_PROXY and NO_PROXY as other programs on the machine understand them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config_substitute.h"
#include "app/settings_types.h"

namespace sluice::app {

class ProxyEnvironment {
 public:
  // Lower-case names win over upper-case ones, as in curl. A proxy that is no usable
  // http:// URL counts as none.
  static ProxyEnvironment read(const Surroundings& around);

  // The proxy for this base, mode Environment; without host when it is to be reached directly.
  Proxy choose(const BaseUrl& base) const;

 private:
  bool exempt(const BaseUrl& base) const;

  Proxy for_https_;
  Proxy for_http_;
  std::vector<std::string> no_proxy_;  // lower case, leading dots removed
};

}  // namespace sluice::app
