#include "governance/virtual_key.h"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <zlib.h>

namespace sluice::governance {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t kSecretDigits = 43;
constexpr size_t kSumDigits = 6;
constexpr size_t kBlock = 64;  // of SHA-256

std::string checksum(std::string_view text) {
  uint64_t sum =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  std::string digits(kSumDigits, '0');
  for (size_t i = kSumDigits; i-- > 0; sum /= 62) digits[i] = kDigits[sum % 62];
  return digits;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A digest of OpenSSL that has taken in some bytes already.
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// OpenSSL fails here only without memory, or in a build that lacks SHA-256.
void must(int done) {
  if (done != 1) throw std::runtime_error("SHA-256 is not available");
}

Context begun_with(const std::array<uint8_t, kBlock>& block) {
  Context context(EVP_MD_CTX_new());
  must(context != nullptr ? 1 : 0);
  must(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr));
  must(EVP_DigestUpdate(context.get(), block.data(), block.size()));
  return context;
}

Digest finished(EVP_MD_CTX* scratch, const EVP_MD_CTX* begun, const void* data, size_t size) {
  Digest digest;
  must(EVP_MD_CTX_copy_ex(scratch, begun));
  must(EVP_DigestUpdate(scratch, data, size));
  must(EVP_DigestFinal_ex(scratch, digest.data(), nullptr));
  return digest;
}

}  // namespace

Secret mint_key(std::string_view prefix) {
  std::string key(prefix);
  // 248 is the largest multiple of 62 in a byte: above it a digit would be likelier than others.
  for (size_t made = 0; made < kSecretDigits;) {
    std::array<uint8_t, 64> random;
    must(RAND_bytes(random.data(), random.size()));
    for (const uint8_t byte : random) {
      if (byte >= 248 || made == kSecretDigits) continue;
      key += kDigits[byte % 62];
      ++made;
    }
  }
  key += checksum(key);
  return Secret(std::move(key));
}

bool is_minted_key(std::string_view text) {
  if (!text.starts_with(kKeyPrefix)) return false;
  if (text.size() != kKeyPrefix.size() + kSecretDigits + kSumDigits) return false;
  return checksum(text.substr(0, text.size() - kSumDigits)) ==
         text.substr(text.size() - kSumDigits);
}

std::string shown_key(std::string_view key) {
  // Of a short key even four characters would be too much; others may hold anything.
  constexpr size_t shown = 4;
  const bool has_prefix = key.starts_with(kKeyPrefix);
  if (key.size() < 24) return "…";
  const std::string_view end = key.substr(key.size() - shown);
  const auto plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::all_of(end.begin(), end.end(), plain)) return "…";
  return std::string(has_prefix ? kKeyPrefix : "") + "…" + std::string(end);
}

std::string hex_of(const Digest& digest) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const uint8_t byte : digest) {
    text += hex[byte >> 4];
    text += hex[byte & 15];
  }
  return text;
}

std::optional<Digest> digest_of_hex(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  Digest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return digest;
}

bool same_digest(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Digest sha256_of(std::string_view text) {
  Digest digest;
  must(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr));
  return digest;
}

// HMAC (RFC 2104) with both padded keys taken in once: a third of the time of OpenSSL's own, which
// begins anew each time.
struct KeyDigester::State {
  Context inner;
  Context outer;
};

KeyDigester::KeyDigester(Secret pepper) {
  std::array<uint8_t, kBlock> key{};
  if (pepper.reveal().size() > kBlock) {
    const Digest hashed = sha256_of(pepper.reveal());
    std::copy(hashed.begin(), hashed.end(), key.begin());
  } else {
    std::copy(pepper.reveal().begin(), pepper.reveal().end(), key.begin());
  }
  std::array<uint8_t, kBlock> inner;
  std::array<uint8_t, kBlock> outer;
  for (size_t i = 0; i < kBlock; ++i) {
    inner[i] = key[i] ^ 0x36;
    outer[i] = key[i] ^ 0x5c;
  }
  state_ = std::make_unique<const State>(State{begun_with(inner), begun_with(outer)});
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
}

KeyDigester::KeyDigester(KeyDigester&&) noexcept = default;
KeyDigester::~KeyDigester() = default;

Digest KeyDigester::of(std::string_view key) const {
  const Context scratch(EVP_MD_CTX_new());
  must(scratch != nullptr ? 1 : 0);
  const Digest inner = finished(scratch.get(), state_->inner.get(), key.data(), key.size());
  return finished(scratch.get(), state_->outer.get(), inner.data(), inner.size());
}

Digest KeyDigester::fingerprint() const {
  return of("sluice: is this the pepper?");
}

}  // namespace sluice::governance
