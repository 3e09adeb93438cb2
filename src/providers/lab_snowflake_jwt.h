// Key-pair authentication as Snowflake checks it: the public keys a user has registered, and what
// is wrong with a JWT that claims to come from one of them.
//
// A token is `base64url(header).base64url(claims).base64url(RS256 signature)`, with
//   header  {"alg":"RS256","typ":"JWT"?}
//   claims  {"iss":"ACCOUNT.USER.SHA256:<fp>","sub":"ACCOUNT.USER","iat":number,"exp":number}
// where <fp> is the padded base64 of SHA-256 over the DER of the public key. Times are seconds;
// milliseconds are understood too. A token is dead one hour after its `iat`, whatever `exp` says.
//
// Immutable once made; copies share the keys. May be used from several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <openssl/evp.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::providers {

class LabSnowflakeKeys {
 public:
  // Nobody: every token is refused.
  LabSnowflakeKeys() = default;
  // `account` and `user` as a person writes them; of an account locator with a region only what
  // stands before the first dot counts. `public_keys`: PEM, RSA of at least 2048 bits, two at most.
  // BadRequest: what is wrong with them.
  static Result<LabSnowflakeKeys> make(std::string_view account, std::string_view user,
                                       const std::vector<std::string>& public_keys);

  // What is wrong with the token, for the eyes of the lab's owner; empty: nothing.
  // `now`: seconds since 1970-01-01 UTC.
  std::string fault_of(std::string_view token, int64_t now) const;

  // "ACCOUNT.USER"
  const std::string& subject() const { return subject_; }
  // "SHA256:...", one for each key.
  std::vector<std::string> fingerprints() const;

 private:
  struct Key {
    std::string fingerprint;
    std::shared_ptr<EVP_PKEY> key;
  };
  std::string fault_of_claims(std::string_view claims, int64_t now, const Key*& signer) const;

  std::string subject_;
  std::vector<Key> keys_;
};

}  // namespace sluice::providers
