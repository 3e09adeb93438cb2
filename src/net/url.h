// URLs as they stand in a configuration or an environment, and the rules of NO_PROXY. Values only:
// whoever reads the environment passes them in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::net {

struct Url {
  std::string scheme;    // in lower case: "https"
  std::string userinfo;  // "user:password", still percent-encoded; a secret
  std::string host;      // in lower case; an IPv6 literal without its brackets
  uint16_t port = 0;     // the scheme's own where none is given
  std::string path;      // with query; empty or beginning with '/'

  bool is_tls() const { return scheme == "https"; }
};

// "http" and "https" only. Errors: BadRequest, with words that never show the userinfo.
Result<Url> parse_url(std::string_view text);

// The value of (Proxy-)Authorization for a userinfo: "Basic ...". Empty for an empty one.
std::string basic_authorization(std::string_view userinfo);

// Whether a NO_PROXY value ("localhost,.corp.example,10.0.0.0/8,api.example:8443") names this
// destination: "*" means everything, a name means itself and all names below it, with or without a
// leading dot or "*.", an address means itself, a network (CIDR) all its addresses; a port narrows
// the rule to it. Separated by commas or spaces.
bool no_proxy_matches(std::string_view rules, std::string_view host, uint16_t port);

}  // namespace sluice::net
