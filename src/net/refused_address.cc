#include "net/refused_address.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <span>

namespace sluice::net {
namespace {

using V6 = std::array<uint8_t, 16>;

constexpr uint32_t kLinkLocal = 0xA9FE0000;  // 169.254.0.0/16; AWS, Azure, GCP, ECS and others
constexpr auto kMetadataV4 = std::to_array<uint32_t>({
    0x646464C8,  // 100.100.100.200, Alibaba Cloud
    0xA83F8110,  // 168.63.129.16, Azure
    0xC00000C0,  // 192.0.0.192, Oracle Cloud
});

constexpr auto kMetadataV6 = std::to_array<V6>({
    {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54},        // fd00:ec2::254, AWS
    {0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54},        // fd20:ce::254, GCP
    {0xfd, 0x00, 0x00, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0xfe, 0xa9, 0xfe},  // fd00:c1::, Oracle
});

bool is_refused_v4(uint32_t address) {
  if ((address & 0xFFFF0000) == kLinkLocal) return true;
  return std::find(kMetadataV4.begin(), kMetadataV4.end(), address) != kMetadataV4.end();
}

uint32_t v4_at(const V6& address, size_t from) {
  uint32_t value = 0;
  for (size_t i = from; i < from + 4; ++i) value = value << 8 | address[i];
  return value;
}

bool begins_with(const V6& address, std::span<const uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

bool is_refused_v6(const V6& address) {
  constexpr std::array<uint8_t, 12> kCompatible{};
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<uint8_t, 12> kNat64{0x00, 0x64, 0xff, 0x9b};
  constexpr std::array<uint8_t, 2> k6to4{0x20, 0x02};
  if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) return true;  // fe80::/10
  if (std::find(kMetadataV6.begin(), kMetadataV6.end(), address) != kMetadataV6.end()) return true;
  if (begins_with(address, kCompatible) || begins_with(address, kMapped) ||
      begins_with(address, kNat64))
    return is_refused_v4(v4_at(address, 12));
  return begins_with(address, k6to4) && is_refused_v4(v4_at(address, 2));
}

}  // namespace

bool is_refused(const Address& address) {
  if (address.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address.get(), sizeof v4);
    return is_refused_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.family() != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address.get(), sizeof v6);
  V6 bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return is_refused_v6(bytes);
}

}  // namespace sluice::net
