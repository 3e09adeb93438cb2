// The pieces that URLs of every kind are made of. Pure functions over text; views point into what
// was given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

// ASCII only.
std::string lower(std::string_view text);

// 1 to 65535, digits only.
std::optional<uint16_t> parse_port(std::string_view text);

struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

// "name", "name:1", "[::1]", "[::1]:1". A bare IPv6 literal is all host.
std::optional<HostPort> split_host_port(std::string_view text);

// 4 or 16 bytes, or 0 for what is no address.
size_t parse_ip(std::string_view text, std::array<uint8_t, 16>& bytes);

bool is_ipv6(std::string_view text);
// Letters, digits, and "-._".
bool is_host_name(std::string_view text);

// A '%' that begins no escape stands for itself.
std::string percent_decoded(std::string_view text);

}  // namespace sluice::net
