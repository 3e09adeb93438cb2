#include "providers/lab_snowflake_jwt.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <optional>
#include <simdjson.h>

#include "base/base64.h"

namespace sluice::providers {
namespace {

constexpr int64_t kLongestLife = 3'600;
constexpr int64_t kClockSkew = 60;
constexpr size_t kMaxKeys = 2;
constexpr int kLeastBits = 2'048;
// No date in seconds is as large before the year 5138.
constexpr int64_t kSurelyMillis = 100'000'000'000;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

int base64url_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

// RFC 4648 section 5, without padding (RFC 7515). Nothing: it is no such text.
std::optional<std::string> base64url_decoded(std::string_view text) {
  if (text.empty() || text.size() % 4 == 1) return std::nullopt;
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int digit = base64url_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6U | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(held) & 0xFFU);
  }
  const bool clean_end = (bits & ((1U << static_cast<unsigned>(held)) - 1U)) == 0;
  return clean_end ? std::optional(out) : std::nullopt;
}

// A number of seconds; milliseconds are brought to seconds.
std::optional<int64_t> seconds_of(simdjson::dom::object claims, std::string_view name) {
  double value = 0;
  if (claims[name].get(value) != simdjson::SUCCESS || value < 0 || value > 1e15)
    return std::nullopt;
  const auto whole = static_cast<int64_t>(value);
  return whole >= kSurelyMillis ? whole / 1'000 : whole;
}

std::string text_of(simdjson::dom::object object, std::string_view name) {
  std::string_view value;
  return object[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

std::string fault_of_header(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object header;
  const simdjson::padded_string text(json);
  if (parser.parse(text).get(header) != simdjson::SUCCESS) return "the header is no JSON object";
  if (const std::string algorithm = text_of(header, "alg"); algorithm != "RS256")
    return fmt::format("`alg` is '{}', not RS256", algorithm);
  if (header["typ"].error() == simdjson::SUCCESS && text_of(header, "typ") != "JWT")
    return "`typ` is not JWT";
  return "";
}

std::string fault_of_times(std::optional<int64_t> issued, std::optional<int64_t> expires,
                           int64_t now) {
  if (!issued) return "`iat` is not a number";
  if (!expires) return "`exp` is not a number";
  if (*issued > now + kClockSkew) return fmt::format("`iat` is {} s in the future", *issued - now);
  if (*expires <= now) return fmt::format("expired {} s ago", now - *expires);
  if (*issued + kLongestLife <= now)
    return fmt::format("issued {} s ago: a token lives for an hour at most", now - *issued);
  return "";
}

bool is_signed_by(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const auto* seal = reinterpret_cast<const unsigned char*>(signature.data());
  const bool good =
      context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), seal, signature.size(), bytes, text.size()) == 1;
  ERR_clear_error();
  return good;
}

std::string fingerprint_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return "";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<size_t>(size), digest.data());
  OPENSSL_free(der);
  return "SHA256:" + base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::shared_ptr<EVP_PKEY> public_key(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PUBKEY(bytes.get(), nullptr, nullptr, nullptr),
                                &EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

}  // namespace

Result<LabSnowflakeKeys> LabSnowflakeKeys::make(std::string_view account, std::string_view user,
                                                const std::vector<std::string>& public_keys) {
  const auto wrong = [](std::string message) {
    return Error(Outcome::BadRequest, std::move(message));
  };
  if (account.empty() || user.empty()) return wrong("a Snowflake user needs an account and a name");
  if (public_keys.empty() || public_keys.size() > kMaxKeys)
    return wrong("a Snowflake user has one public key, or two");
  LabSnowflakeKeys keys;
  keys.subject_ = upper(account.substr(0, account.find('.'))) + '.' + upper(user);
  for (const std::string& pem : public_keys) {
    std::shared_ptr<EVP_PKEY> key = public_key(pem);
    if (key == nullptr || EVP_PKEY_is_a(key.get(), "RSA") != 1)
      return wrong("a public key must be RSA in PEM (`BEGIN PUBLIC KEY`)");
    if (EVP_PKEY_get_bits(key.get()) < kLeastBits)
      return wrong("a public key must have 2048 bits at least");
    std::string fingerprint = fingerprint_of(key.get());
    keys.keys_.push_back({std::move(fingerprint), std::move(key)});
  }
  return keys;
}

std::vector<std::string> LabSnowflakeKeys::fingerprints() const {
  std::vector<std::string> all;
  for (const Key& key : keys_) all.push_back(key.fingerprint);
  return all;
}

std::string LabSnowflakeKeys::fault_of_claims(std::string_view json, int64_t now,
                                              const Key*& signer) const {
  simdjson::dom::parser parser;
  simdjson::dom::object claims;
  const simdjson::padded_string text(json);
  if (parser.parse(text).get(claims) != simdjson::SUCCESS) return "the claims are no JSON object";
  if (const std::string subject = text_of(claims, "sub"); subject != subject_)
    return fmt::format("`sub` is '{}', not '{}'", subject, subject_);
  const std::string issuer = text_of(claims, "iss");
  const auto key = std::ranges::find_if(
      keys_, [&](const Key& one) { return issuer == subject_ + '.' + one.fingerprint; });
  if (key == keys_.end())
    return fmt::format("`iss` is '{}', which names no registered key", issuer);
  signer = &*key;
  return fault_of_times(seconds_of(claims, "iat"), seconds_of(claims, "exp"), now);
}

std::string LabSnowflakeKeys::fault_of(std::string_view token, int64_t now) const {
  if (keys_.empty()) return "no public key is registered";
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return "not three parts joined by dots";
  const auto header = base64url_decoded(token.substr(0, first));
  const auto claims = base64url_decoded(token.substr(first + 1, second - first - 1));
  const auto signature = base64url_decoded(token.substr(second + 1));
  if (!header || !claims || !signature) return "a part is not base64url without padding";
  if (std::string fault = fault_of_header(*header); !fault.empty()) return fault;
  const Key* signer = nullptr;
  std::string fault = fault_of_claims(*claims, now, signer);
  if (!fault.empty()) return fault;
  if (!is_signed_by(signer->key.get(), token.substr(0, second), *signature))
    return "the signature is not by the key that `iss` names";
  return "";
}

}  // namespace sluice::providers
