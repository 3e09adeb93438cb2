// What proves to an upstream who asks: the header lines for one key, now.
//
// Immutable from outside, shared by the loops, thread-safe. Times are passed in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sluice::providers {

class Credential {
 public:
  virtual ~Credential() = default;
  // Appends complete header lines. `wall_micros`: now.
  virtual Result<void> append(std::string& out, int64_t wall_micros) const = 0;
  // Replaces every occurrence of its secrets by "***".
  virtual void scrub(std::string& text) const = 0;
};

// Where a static key goes.
enum class AuthStyle : uint8_t {
  Bearer,          // Authorization: Bearer KEY
  XApiKey,         // x-api-key: KEY (Anthropic)
  ApiKey,          // api-key: KEY (Azure OpenAI)
  XGoogApiKey,     // x-goog-api-key: KEY (Gemini)
  Portkey,         // x-portkey-api-key: KEY
  SnowflakePat,    // Bearer, marked as programmatic access token
  SnowflakeOAuth,  // Bearer, marked as OAuth access token
};

// "bearer", "x-api-key", "api-key", "x-goog-api-key", "x-portkey-api-key", "pat", "oauth".
std::string_view name_of(AuthStyle style);

// An empty key gives a credential without lines.
std::shared_ptr<const Credential> make_static_credential(AuthStyle style, Secret key);

// Replaces every occurrence of `secret` by "***"; a secret of fewer than 4 bytes is left, since it
// would blot out half of any text.
void scrub_secret(std::string& text, std::string_view secret);

}  // namespace sluice::providers
