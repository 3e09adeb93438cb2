#include "net/url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "net/url_parts.h"

namespace sluice::net {
namespace {

bool network_contains(std::string_view network, unsigned bits, std::string_view host) {
  std::array<uint8_t, 16> base{};
  std::array<uint8_t, 16> address{};
  const size_t size = parse_ip(network, base);
  if (size == 0 || parse_ip(host, address) != size || bits > size * 8) return false;
  const unsigned whole = bits / 8;
  if (!std::equal(base.begin(), base.begin() + whole, address.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (base[whole] & mask) == (address[whole] & mask);
}

bool rule_matches(std::string_view rule, std::string_view host, uint16_t port) {
  if (rule == "*") return true;
  if (const size_t slash = rule.find('/'); slash != std::string_view::npos) {
    unsigned bits = 0;
    const std::string_view digits = rule.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    return error == std::errc() && end == digits.data() + digits.size() &&
           network_contains(rule.substr(0, slash), bits, host);
  }
  const std::optional<HostPort> parts = split_host_port(rule);
  if (!parts) return false;
  if (parts->port && parse_port(*parts->port) != port) return false;
  std::string_view name = parts->host;
  std::array<uint8_t, 16> wanted{};
  if (const size_t size = parse_ip(name, wanted)) {
    std::array<uint8_t, 16> address{};
    return parse_ip(host, address) == size && wanted == address;
  }
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (name.starts_with('.')) name.remove_prefix(1);
  if (name.empty() || !host.ends_with(name)) return false;
  if (host.size() == name.size()) return true;
  // The end of an address is no domain.
  std::array<uint8_t, 16> address{};
  return host[host.size() - name.size() - 1] == '.' && parse_ip(host, address) == 0;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      result += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return result;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto bad = [](const char* why) {
    return Error(Outcome::BadRequest, std::string("not a usable URL: ") + why);
  };
  // Control bytes and blanks would end up in request lines.
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == 0x7f; })) {
    return bad("it holds a blank or a control byte");
  }
  const size_t mark = text.find("://");
  if (mark == std::string_view::npos) return bad("expected http:// or https:// in front");
  Url url;
  url.scheme = lower(text.substr(0, mark));
  if (url.scheme != "http" && url.scheme != "https") {
    return bad("the scheme is neither http nor https");
  }
  std::string_view rest = text.substr(mark + 3);
  const size_t path = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view tail = rest.substr(path);
  url.path = tail.substr(0, tail.find('#'));
  if (!url.path.empty() && url.path.front() == '?') url.path.insert(0, "/");
  rest = rest.substr(0, path);
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    url.userinfo = rest.substr(0, at);
    rest = rest.substr(at + 1);
  }
  const std::optional<HostPort> parts = split_host_port(rest);
  if (!parts || parts->host.empty()) return bad("no host");
  // Anything else would be read in different ways by those who come after us.
  if (rest.starts_with('[') ? !is_ipv6(parts->host) : !is_host_name(parts->host)) {
    return bad("the host is neither a name nor an address (international names: write xn--...)");
  }
  url.host = lower(parts->host);
  url.port = url.is_tls() ? 443 : 80;
  if (parts->port) {
    const std::optional<uint16_t> port = parse_port(*parts->port);
    if (!port) return bad("the port is not a number from 1 to 65535");
    url.port = *port;
  }
  return url;
}

std::string basic_authorization(std::string_view userinfo) {
  if (userinfo.empty()) return "";
  return "Basic " + base64(percent_decoded(userinfo));
}

bool no_proxy_matches(std::string_view rules, std::string_view host, uint16_t port) {
  const std::string wanted = lower(host);
  while (!rules.empty()) {
    const size_t end = std::min(rules.find_first_of(", \t"), rules.size());
    const std::string rule = lower(rules.substr(0, end));
    if (!rule.empty() && rule_matches(rule, wanted, port)) return true;
    rules.remove_prefix(std::min(end + 1, rules.size()));
  }
  return false;
}

}  // namespace sluice::net
