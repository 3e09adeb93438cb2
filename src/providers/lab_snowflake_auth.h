// Who may call the lab's Cortex. Told by the header X-Snowflake-Authorization-Token-Type, or, when
// there is none, by the look of the token:
//
//   KEYPAIR_JWT                 three parts joined by dots: see LabSnowflakeKeys
//   PROGRAMMATIC_ACCESS_TOKEN   begins with `pat-`: the one the lab was started with
//   OAUTH                       anything else: good if it begins with `oauth-`
//
// A good token that ends with `-norole`, or a user whose name ends with `_NOROLE`, has no role that
// may use Cortex. Immutable. May be used from several threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "providers/lab_snowflake_jwt.h"

namespace sluice::providers {

inline constexpr std::string_view kLabSnowflakePat = "pat-lab";

// Why a caller is not let in.
struct LabSnowflakeRefusal {
  int status = 401;
  std::string code;     // "390144"
  std::string message;  // for the caller, who learns as little as from the real one
  std::string reason;   // for the owner of the lab: GET /lab/last
};

class LabSnowflakeAuth {
 public:
  explicit LabSnowflakeAuth(LabSnowflakeKeys keys = {},
                            Secret pat = Secret(std::string(kLabSnowflakePat)))
      : keys_(std::move(keys)), pat_(std::move(pat)) {}

  // `authorization`, `token_type`: the headers as sent; empty: there was none. `now`: seconds since
  // 1970-01-01 UTC. Nothing: the caller may pass.
  std::optional<LabSnowflakeRefusal> refusal(std::string_view authorization,
                                             std::string_view token_type, int64_t now) const;

 private:
  std::optional<LabSnowflakeRefusal> refuse_jwt(std::string_view token, int64_t now) const;
  std::optional<LabSnowflakeRefusal> refuse_pat(std::string_view token) const;

  LabSnowflakeKeys keys_;
  Secret pat_;
};

}  // namespace sluice::providers
