// Snowflake's key-pair authentication: a short-lived RS256 token signed with the account's own key.
//
//   header  {"alg":"RS256","typ":"JWT"}
//   claims  {"iss":"ACCOUNT.USER.SHA256:fp","sub":"ACCOUNT.USER","iat":s,"exp":s}
//   fp      base64 of the SHA-256 of the public key's DER SubjectPublicKeyInfo
//
// Source: Snowflake, "Authenticating to the server: Using key pair authentication".
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "providers/credential.h"

struct evp_pkey_st;

namespace sluice::providers {

// "my-org-My.Acct" is "MY-ORG-MY-ACCT"; a locator loses region and cloud: "xy12345.eu-west-1" is
// "XY12345". An account URL's host ending is ignored.
std::string snowflake_account(std::string_view account);
// Upper case.
std::string snowflake_user(std::string_view user);
// "org-my_acct" is "org-my-acct.snowflakecomputing.com"; a locator keeps region and cloud.
std::string snowflake_host(std::string_view account);

struct SnowflakeKeyPair {
  std::string account;
  std::string user;
  Secret private_key;  // PKCS#8 PEM, RSA of at least 2048 bits, perhaps encrypted
  Secret passphrase;   // of an encrypted key
};

class SnowflakeJwt final : public Credential {
 public:
  // Seconds a token is good for, and how long before its end the next is made. Snowflake's limit is
  // an hour.
  static constexpr int64_t kLifetime = 3600;
  static constexpr int64_t kRenewBefore = 300;

  // BadRequest: the key cannot be read, is no RSA key or too short, account or user is empty. The
  // message never holds any part of the key.
  static Result<std::shared_ptr<const SnowflakeJwt>> make(const SnowflakeKeyPair& pair);

  Result<void> append(std::string& out, int64_t wall_micros) const override;
  void scrub(std::string& text) const override;

  // The token that is good now; a new one is signed when the last is about to end.
  Result<std::string> token(int64_t wall_micros) const;
  // "SHA256:...", as DESC USER shows it.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  struct FreeKey {
    void operator()(evp_pkey_st* key) const;
  };
  using Key = std::unique_ptr<evp_pkey_st, FreeKey>;

  SnowflakeJwt(Key key, std::string subject, std::string fingerprint);
  static Result<Key> read_key(const SnowflakeKeyPair& pair);
  Result<std::string> sign(int64_t now) const;

  const Key key_;
  const std::string subject_;  // "ACCOUNT.USER"
  const std::string fingerprint_;
  mutable std::mutex mutex_;
  mutable Secret token_;
  mutable int64_t issued_ = 0;  // seconds since 1970
};

}  // namespace sluice::providers
