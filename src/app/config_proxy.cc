#include "app/config_proxy.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "app/config_value.h"

namespace sluice::app {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string either(const Surroundings& around, std::string_view name) {
  if (auto value = around.env(lower(std::string(name)))) return *std::move(value);
  return around.env(name).value_or("");
}

Proxy proxy_from(const Surroundings& around, std::string_view name) {
  std::string text = either(around, name);
  if (text.empty()) return {};
  if (text.find("://") == std::string::npos) text = "http://" + text;
  Proxy proxy;
  if (assign(proxy, text, Limits{})) return {};
  proxy.mode = ProxyMode::Environment;
  return proxy;
}

}  // namespace

ProxyEnvironment ProxyEnvironment::read(const Surroundings& around) {
  ProxyEnvironment out;
  out.for_https_ = proxy_from(around, "HTTPS_PROXY");
  out.for_http_ = proxy_from(around, "HTTP_PROXY");
  const std::string list = lower(either(around, "NO_PROXY"));
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find_first_of(", ", at), list.size());
    const size_t start = std::min(list.find_first_not_of('.', at), end);
    if (start < end) out.no_proxy_.push_back(list.substr(start, end - start));
    at = end + 1;
  }
  return out;
}

bool ProxyEnvironment::exempt(const BaseUrl& base) const {
  const std::string host = lower(base.host);
  const std::string with_port = fmt::format("{}:{}", host, base.port);
  const auto covers = [&host, &with_port](const std::string& rule) {
    return rule == "*" || host == rule || with_port == rule || host.ends_with("." + rule) ||
           with_port.ends_with("." + rule);
  };
  // A machine never needs a proxy to reach itself.
  const bool loopback = host == "localhost" || host == "::1" || host.starts_with("127.");
  return loopback || std::any_of(no_proxy_.begin(), no_proxy_.end(), covers);
}

Proxy ProxyEnvironment::choose(const BaseUrl& base) const {
  if (exempt(base)) return {};
  return base.tls ? for_https_ : for_http_;
}

}  // namespace sluice::app
