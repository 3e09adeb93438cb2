#include "net/url.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace sluice::net {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

// "name", "name:1", "[::1]", "[::1]:1". A bare IPv6 literal is all host.
std::optional<HostPort> split_host_port(std::string_view text) {
  HostPort result;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    result.host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (rest.starts_with(':')) {
      result.port = rest.substr(1);
    } else if (!rest.empty()) {
      return std::nullopt;
    }
    return result;
  }
  const size_t colon = text.find(':');
  result.host = text.substr(0, colon);
  if (colon == std::string_view::npos) return result;
  if (text.find(':', colon + 1) != std::string_view::npos) {
    result.host = text;
  } else {
    result.port = text.substr(colon + 1);
  }
  return result;
}

// 4 or 16 bytes, or 0 for what is no address.
size_t parse_ip(std::string_view text, std::array<uint8_t, 16>& bytes) {
  const std::string terminated(text);
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return 4;
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return 16;
  return 0;
}

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

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
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

bool is_ipv6(std::string_view text) {
  std::array<uint8_t, 16> bytes{};
  return parse_ip(text, bytes) == 16;
}

bool is_host_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
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
