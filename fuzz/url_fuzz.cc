// URLs and NO_PROXY rules: what is accepted is safe to put into a request line, and reads the same
// when it is written again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/url.h"

namespace {

using sluice::Result;
using sluice::net::Url;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string written(const Url& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return url.scheme + "://" + (url.userinfo.empty() ? "" : url.userinfo + "@") +
         (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port) + url.path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, text.find('\n'));
  const std::string_view second = text.substr(std::min(first.size() + 1, text.size()));
  const Result<Url> url = sluice::net::parse_url(first);
  if (!url) return 0;
  require(!url->host.empty() && url->port != 0);
  for (const char c : url->host + url->path) require(c > ' ' || static_cast<uint8_t>(c) >= 0x80);
  const Result<Url> again = sluice::net::parse_url(written(*url));
  require(again.has_value());
  require(again->host == url->host && again->port == url->port && again->path == url->path &&
          again->userinfo == url->userinfo && again->scheme == url->scheme);
  sluice::net::no_proxy_matches(second, url->host, url->port);
  require(sluice::net::no_proxy_matches("*", url->host, url->port));
  return 0;
}
