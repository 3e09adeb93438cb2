#include "providers/snowflake_jwt.h"

#include <algorithm>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/text_out.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kHostEnd = ".snowflakecomputing.com";
constexpr std::string_view kHeader = R"({"alg":"RS256","typ":"JWT"})";
constexpr int kLeastKeyBits = 2048;
// A clock set back further than this makes a token look as if it were from the future.
constexpr int64_t kClockSlack = 30;

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// "https://Org-Acct.snowflakecomputing.com/" is "org-acct".
std::string bare_account(std::string_view account) {
  std::string text(account);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  if (const size_t scheme = text.find("://"); scheme != std::string::npos)
    text.erase(0, scheme + 3);
  text.erase(std::min(text.find('/'), text.size()));
  if (text.ends_with(kHostEnd)) text.resize(text.size() - kHostEnd.size());
  return text;
}

// RFC 7515: the URL-safe alphabet, without padding.
std::string base64_url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

// Without a callback of its own OpenSSL would ask on the terminal.
int give_passphrase(char* out, int size, int /*writing*/, void* passphrase) {
  const std::string_view text = static_cast<const Secret*>(passphrase)->reveal();
  if (text.empty() || text.size() > static_cast<size_t>(size)) return -1;
  return static_cast<int>(text.copy(out, text.size()));
}

std::string fingerprint_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return "";
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der, static_cast<size_t>(length), digest);
  OPENSSL_free(der);
  return "SHA256:" + base64_encode({reinterpret_cast<const char*>(digest), SHA256_DIGEST_LENGTH});
}

std::string claims(const std::string& subject, const std::string& fingerprint, int64_t now) {
  std::string out = R"({"iss":)";
  append_json(out, subject + "." + fingerprint);
  out += R"(,"sub":)";
  append_json(out, subject);
  out += fmt::format(R"(,"iat":{},"exp":{}}})", now, now + SnowflakeJwt::kLifetime);
  return out;
}

}  // namespace

std::string snowflake_account(std::string_view account) {
  std::string text = bare_account(account);
  const size_t dot = std::min(text.find('.'), text.size());
  const size_t dash = std::min(text.find('-'), text.size());
  if (text.ends_with(".global")) {
    text.erase(dash);  // a locator with an id of its connection
  } else if (dash < dot) {
    std::replace(text.begin(), text.end(), '.', '-');  // organisation and account
  } else {
    text.erase(dot);  // a locator with region and cloud
  }
  std::transform(text.begin(), text.end(), text.begin(), upper);
  return text;
}

std::string snowflake_user(std::string_view user) {
  std::string text(user);
  std::transform(text.begin(), text.end(), text.begin(), upper);
  return text;
}

std::string snowflake_host(std::string_view account) {
  std::string text = bare_account(account);
  std::replace(text.begin(), text.end(), '_', '-');
  return text.append(kHostEnd);
}

void SnowflakeJwt::FreeKey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Result<SnowflakeJwt::Key> SnowflakeJwt::read_key(const SnowflakeKeyPair& pair) {
  const std::string_view pem = pair.private_key.reveal();
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  Secret passphrase = pair.passphrase;
  Key key(PEM_read_bio_PrivateKey(source.get(), nullptr, give_passphrase, &passphrase));
  ERR_clear_error();  // its details may quote the key
  const auto bad = [](std::string message) {
    return Error(Outcome::BadRequest, std::move(message), "private_key");
  };
  if (key == nullptr) {
    if (pem.find("ENCRYPTED") == std::string_view::npos)
      return bad("the private key is no PEM text of a PKCS#8 key");
    return bad(pair.passphrase.empty() ? "the private key is encrypted, and no passphrase is given"
                                       : "the private key cannot be opened with this passphrase");
  }
  if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return bad("the private key is no RSA key");
  if (EVP_PKEY_bits(key.get()) < kLeastKeyBits)
    return bad(fmt::format("the private key has {} bits; Snowflake wants {} or more",
                           EVP_PKEY_bits(key.get()), kLeastKeyBits));
  return key;
}

Result<std::shared_ptr<const SnowflakeJwt>> SnowflakeJwt::make(const SnowflakeKeyPair& pair) {
  const std::string account = snowflake_account(pair.account);
  const std::string user = snowflake_user(pair.user);
  if (account.empty()) return Error(Outcome::BadRequest, "the account is empty", "account");
  if (user.empty()) return Error(Outcome::BadRequest, "the user is empty", "user");
  Result<Key> key = read_key(pair);
  if (!key) return std::move(key).error();
  std::string fingerprint = fingerprint_of(key->get());
  if (fingerprint.empty())
    return Error(Outcome::BadRequest, "the private key has no public half", "private_key");
  return std::shared_ptr<const SnowflakeJwt>(
      new SnowflakeJwt(*std::move(key), account + "." + user, std::move(fingerprint)));
}

SnowflakeJwt::SnowflakeJwt(Key key, std::string subject, std::string fingerprint)
    : key_(std::move(key)), subject_(std::move(subject)), fingerprint_(std::move(fingerprint)) {}

Result<std::string> SnowflakeJwt::sign(int64_t now) const {
  std::string token = base64_url(kHeader) + "." + base64_url(claims(subject_, fingerprint_, now));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  const auto* const bytes = reinterpret_cast<const unsigned char*>(token.data());
  size_t length = static_cast<size_t>(EVP_PKEY_size(key_.get()));
  std::string signature(length, '\0');
  const bool done =
      context != nullptr &&
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                     bytes, token.size()) == 1;
  ERR_clear_error();
  if (!done) return Error(Outcome::Bug, "the Snowflake token could not be signed");
  signature.resize(length);
  return token.append(".").append(base64_url(signature));
}

Result<std::string> SnowflakeJwt::token(int64_t wall_micros) const {
  const int64_t now = wall_micros / 1'000'000;
  const std::lock_guard lock(mutex_);
  const bool good =
      !token_.empty() && now < issued_ + kLifetime - kRenewBefore && now >= issued_ - kClockSlack;
  if (!good) {
    Result<std::string> fresh = sign(now);
    if (!fresh) return fresh;
    token_ = Secret(*std::move(fresh));
    issued_ = now;
  }
  return std::string(token_.reveal());
}

Result<void> SnowflakeJwt::append(std::string& out, int64_t wall_micros) const {
  const Result<std::string> good = token(wall_micros);
  if (!good) return Error(good.error().outcome(), good.error().message());
  out.append("authorization: Bearer ").append(*good);
  out.append("\r\nx-snowflake-authorization-token-type: KEYPAIR_JWT\r\n");
  return {};
}

void SnowflakeJwt::scrub(std::string& text) const {
  const std::lock_guard lock(mutex_);
  scrub_secret(text, token_.reveal());
}

}  // namespace sluice::providers
