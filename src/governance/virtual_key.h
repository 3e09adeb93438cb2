// The keys an organisation gives out: how one is made, recognised and kept.
//
//   sk-sluice-<43 characters of secret><6 of checksum>
//
// The secret is 256 random bits in base 62, the checksum the CRC-32 of all before it, so that a
// scanner of sources knows a key from chance and a mistyped one is told without a look-up. What is
// kept is an HMAC-SHA256 under the installation's pepper: whoever reads the store has no key.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::governance {

inline constexpr std::string_view kKeyPrefix = "sk-sluice-";
// Of admin tokens, which open the admin API and nothing else.
inline constexpr std::string_view kAdminPrefix = "sluice-admin-";

using Digest = std::array<uint8_t, 32>;

// Made from the operating system's randomness: a key, or with another prefix something as secret.
Secret mint_key(std::string_view prefix = kKeyPrefix);
// Of the right form, checksum included. Operators may also declare keys of their own making.
bool is_minted_key(std::string_view text);
// "sk-sluice-…x7Kq": enough to tell two keys apart, too little to use one.
std::string shown_key(std::string_view key);

std::string hex_of(const Digest& digest);
// 64 hex digits, with or without "sha256:" in front.
std::optional<Digest> digest_of_hex(std::string_view text);
bool same_digest(const Digest& a, const Digest& b);  // in constant time

Digest sha256_of(std::string_view text);

// Turns keys into what is kept of them. Any thread, but each call works on a context of its own.
class KeyDigester {
 public:
  // `pepper`: at least 32 bytes.
  explicit KeyDigester(Secret pepper);
  KeyDigester(KeyDigester&&) noexcept;
  ~KeyDigester();

  Digest of(std::string_view key) const;
  // Told by a store that was made with another pepper.
  Digest fingerprint() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace sluice::governance
