// Secrets as they are kept at rest: each encrypted with a random key of its own (AES-256-GCM), that
// key in turn with the installation's, which is never in the same place. Both are bound to name and
// version, so that a row put in another's place, or an older one put back under a newer number,
// does not open.
//
//   sealed, wrapped = 12 bytes of nonce, the ciphertext, 16 bytes of tag
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::governance {

struct SealedSecret {
  std::string name;
  int64_t version = 0;
  std::string wrapped;  // the key of this secret, under the installation's
  std::string sealed;   // the secret, under its key
  int64_t changed_micros = 0;
};

// The installation's key for secrets at rest.
class SecretsKey {
 public:
  // 32 bytes, as 64 hex digits or as base64 with or without padding. Errors never quote the text.
  static Result<SecretsKey> parse(std::string_view text);

  Result<SealedSecret> seal(std::string_view name, int64_t version, std::string_view value) const;
  // Errors: another key, or a row that is not what was sealed.
  Result<Secret> open(const SealedSecret& secret) const;
  // The same secret under another installation's key.
  Result<SealedSecret> rewrap(const SealedSecret& secret, const SecretsKey& to) const;

  // Kept beside the secrets: whoever has the key can tell that it is the right one.
  std::string check() const;
  // Eight hex digits that tell two values apart, for whoever has no key nothing.
  std::string fingerprint(std::string_view value) const;

 private:
  explicit SecretsKey(Secret key) : key_(std::move(key)) {}
  std::string mac(std::string_view purpose, std::string_view text) const;

  Secret key_;  // 32 bytes
};

}  // namespace sluice::governance
