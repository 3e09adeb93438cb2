// Whether a key may be used for something. Everything that is not listed where a list is given is
// forbidden.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "governance/policy.h"

namespace sluice::governance {

// `*` stands for any characters, none included; all else for itself. Linear in the text for each
// star.
bool matches(std::string_view pattern, std::string_view text);
// An empty list allows everything.
bool allows(std::span<const std::string> patterns, std::string_view name);
// By the model's name alone or behind its provider's.
bool allows_model(const Rights& rights, std::string_view provider, std::string_view model);

// A block of addresses: "10.0.0.0/8", "2001:db8::/32", or one address.
class AddressRange {
 public:
  static Result<AddressRange> parse(std::string_view text);
  // An address as text, without port and brackets; IPv4 inside IPv6 is understood. False for what
  // is no address.
  bool holds(std::string_view address) const;

 private:
  using Bytes = std::array<uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
  static std::optional<Bytes> bytes_of(std::string_view address);

  Bytes first_{};
  int bits_ = 128;
};

}  // namespace sluice::governance
