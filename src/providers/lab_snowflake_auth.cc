#include "providers/lab_snowflake_auth.h"

#include <algorithm>

#include "net/http1.h"

namespace sluice::providers {
namespace {

constexpr std::string_view kJwt = "KEYPAIR_JWT";
constexpr std::string_view kPat = "PROGRAMMATIC_ACCESS_TOKEN";
constexpr std::string_view kOauth = "OAUTH";
constexpr std::string_view kNoRole = "-norole";

std::string_view look_of(std::string_view token) {
  if (std::ranges::count(token, '.') == 2) return kJwt;
  return token.starts_with("pat-") ? kPat : kOauth;
}

LabSnowflakeRefusal refuse(std::string code, std::string message, std::string reason) {
  LabSnowflakeRefusal refusal;
  refusal.code = std::move(code);
  refusal.message = std::move(message);
  refusal.reason = std::move(reason);
  return refusal;
}

std::optional<LabSnowflakeRefusal> refuse_role(bool without) {
  if (!without) return std::nullopt;
  LabSnowflakeRefusal refusal = refuse(
      "390403", "Not authorized to use Cortex: the default role lacks SNOWFLAKE.CORTEX_USER.",
      "a caller without a role, by its name");
  refusal.status = 403;
  return refusal;
}

}  // namespace

std::optional<LabSnowflakeRefusal> LabSnowflakeAuth::refuse_jwt(std::string_view token,
                                                                int64_t now) const {
  std::string fault = keys_.fault_of(token, now);
  if (!fault.empty()) return refuse("390144", "JWT token is invalid.", std::move(fault));
  return refuse_role(keys_.subject().ends_with("_NOROLE"));
}

std::optional<LabSnowflakeRefusal> LabSnowflakeAuth::refuse_pat(std::string_view token) const {
  const bool without_role = token.ends_with(kNoRole);
  std::string_view name = token;
  if (without_role) name.remove_suffix(kNoRole.size());
  if (!pat_.equals(token) && !pat_.equals(name))
    return refuse("394400", "Programmatic access token is invalid.", "an unknown access token");
  return refuse_role(without_role);
}

std::optional<LabSnowflakeRefusal> LabSnowflakeAuth::refusal(std::string_view authorization,
                                                             std::string_view token_type,
                                                             int64_t now) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (authorization.empty())
    return refuse("390101", "Authorization header not found in the request data.",
                  "no Authorization");
  if (!net::begins_with_name(authorization, kBearer))
    return refuse("390103", "Authorization header is invalid.", "Authorization is no Bearer");
  const std::string_view token = authorization.substr(kBearer.size());
  const std::string_view type = token_type.empty() ? look_of(token) : token_type;
  if (type == kJwt) return refuse_jwt(token, now);
  if (type == kPat) return refuse_pat(token);
  if (type != kOauth)
    return refuse("390103", "Authorization token type is invalid.",
                  "X-Snowflake-Authorization-Token-Type is none of three");
  if (!token.starts_with("oauth-"))
    return refuse("390303", "Invalid OAuth access token.", "an OAuth token begins with `oauth-`");
  return refuse_role(token.ends_with(kNoRole));
}

}  // namespace sluice::providers
