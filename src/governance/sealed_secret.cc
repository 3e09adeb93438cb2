#include "governance/sealed_secret.h"

#include <array>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <optional>

namespace sluice::governance {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kFingerprintDigits = 8;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

Error broken() {
  return Error(Outcome::Bug, "OpenSSL could not encrypt");
}

const uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

uint8_t* bytes_of(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}

// What a ciphertext is bound to; no name holds a zero byte.
std::string bound_to(std::string_view what, std::string_view name, int64_t version) {
  std::string data(what);
  data += '\0';
  data += name;
  data += '\0';
  return data + std::to_string(version);
}

std::optional<std::string> random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(bytes_of(bytes), static_cast<int>(count)) != 1) return std::nullopt;
  return bytes;
}

Result<std::string> encrypt(std::string_view key, std::string_view text, std::string_view bound) {
  const std::optional<std::string> nonce = random_bytes(kNonceBytes);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  if (!nonce || cipher == nullptr) return broken();
  std::string out(text.size(), '\0');
  std::array<uint8_t, kTagBytes> tag{};
  std::array<uint8_t, kTagBytes> rest{};
  int length = 0;
  const bool done =
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                         bytes_of(*nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(bound),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(out), &length, bytes_of(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), rest.data(), &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  if (!done) return broken();
  return *nonce + out + std::string(reinterpret_cast<const char*>(tag.data()), tag.size());
}

// Nothing: not made with that key, of that text, bound to that.
std::optional<Secret> decrypt(std::string_view key, std::string_view sealed,
                              std::string_view bound) {
  if (sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  if (cipher == nullptr) return std::nullopt;
  std::string out(text.size(), '\0');
  std::array<uint8_t, kTagBytes> rest{};
  int length = 0;
  const bool same =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                         bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(bound),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(out), &length, bytes_of(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), rest.data(), &length) == 1;
  Secret opened(std::move(out));
  return same ? std::optional(std::move(opened)) : std::nullopt;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() != 2 * kKeyBytes) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

// 32 bytes are 43 digits, and one sign of padding.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr size_t kDigits = 43;
  if (text.size() == kDigits + 1 && text.back() == '=') text.remove_suffix(1);
  if (text.size() != kDigits) return std::nullopt;
  const std::string padded = std::string(text) + "=";
  std::string bytes(kKeyBytes + 1, '\0');
  const int count = EVP_DecodeBlock(bytes_of(bytes), bytes_of(std::string_view(padded)),
                                    static_cast<int>(padded.size()));
  if (count != static_cast<int>(bytes.size())) return std::nullopt;
  bytes.resize(kKeyBytes);
  return bytes;
}

}  // namespace

Result<SecretsKey> SecretsKey::parse(std::string_view text) {
  std::optional<std::string> bytes = from_hex(text);
  if (!bytes) bytes = from_base64(text);
  if (!bytes)
    return Error(Outcome::BadRequest,
                 "the key must be 32 bytes, as 64 hex digits or as base64; `openssl rand -base64 "
                 "32` makes one");
  return SecretsKey(Secret(*std::move(bytes)));
}

Result<SealedSecret> SecretsKey::seal(std::string_view name, int64_t version,
                                      std::string_view value) const {
  std::optional<std::string> bytes = random_bytes(kKeyBytes);
  if (!bytes) return broken();
  const Secret own(*std::move(bytes));
  Result<std::string> sealed = encrypt(own.reveal(), value, bound_to("value", name, version));
  if (!sealed) return std::move(sealed).error();
  Result<std::string> wrapped =
      encrypt(key_.reveal(), own.reveal(), bound_to("key", name, version));
  if (!wrapped) return std::move(wrapped).error();
  return SealedSecret{.name = std::string(name),
                      .version = version,
                      .wrapped = *std::move(wrapped),
                      .sealed = *std::move(sealed)};
}

Result<Secret> SecretsKey::open(const SealedSecret& secret) const {
  const std::optional<Secret> own =
      decrypt(key_.reveal(), secret.wrapped, bound_to("key", secret.name, secret.version));
  if (!own || own->reveal().size() != kKeyBytes)
    return Error(Outcome::Bug,
                 fmt::format("the secret `{}` does not open: it was stored with another key, or "
                             "its row was changed by hand",
                             secret.name));
  std::optional<Secret> value =
      decrypt(own->reveal(), secret.sealed, bound_to("value", secret.name, secret.version));
  if (!value)
    return Error(
        Outcome::Bug,
        fmt::format("the secret `{}` does not open: its row was changed by hand", secret.name));
  return *std::move(value);
}

Result<SealedSecret> SecretsKey::rewrap(const SealedSecret& secret, const SecretsKey& to) const {
  const Result<Secret> value = open(secret);
  if (!value) return Error(value.error().outcome(), value.error().message());
  Result<SealedSecret> sealed = to.seal(secret.name, secret.version, value->reveal());
  if (sealed) sealed->changed_micros = secret.changed_micros;
  return sealed;
}

std::string SecretsKey::mac(std::string_view purpose, std::string_view text) const {
  std::string data(purpose);
  data += '\0';
  data += text;
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), bytes_of(key_.reveal()), kKeyBytes, bytes_of(std::string_view(data)),
       data.size(), digest.data(), &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string SecretsKey::check() const {
  return mac("check", "");
}

std::string SecretsKey::fingerprint(std::string_view value) const {
  return mac("fingerprint", value).substr(0, kFingerprintDigits);
}

}  // namespace sluice::governance
