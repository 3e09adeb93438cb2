#include "net/url_parts.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace sluice::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

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

size_t parse_ip(std::string_view text, std::array<uint8_t, 16>& bytes) {
  const std::string terminated(text);
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return 4;
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return 16;
  return 0;
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

}  // namespace sluice::net
