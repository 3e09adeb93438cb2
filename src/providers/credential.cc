#include "providers/credential.h"

#include <array>

#include "net/http1.h"

namespace sluice::providers {
namespace {

struct StyleRow {
  AuthStyle style;
  std::string_view name;
  std::string_view before;  // the key
  std::string_view after;   // it, with the line's end
};

constexpr std::array<StyleRow, 7> kStyles{{
    {AuthStyle::Bearer, "bearer", "authorization: Bearer ", "\r\n"},
    {AuthStyle::XApiKey, "x-api-key", "x-api-key: ", "\r\n"},
    {AuthStyle::ApiKey, "api-key", "api-key: ", "\r\n"},
    {AuthStyle::XGoogApiKey, "x-goog-api-key", "x-goog-api-key: ", "\r\n"},
    {AuthStyle::Portkey, "x-portkey-api-key", "x-portkey-api-key: ", "\r\n"},
    {AuthStyle::SnowflakePat, "pat", "authorization: Bearer ",
     "\r\nx-snowflake-authorization-token-type: PROGRAMMATIC_ACCESS_TOKEN\r\n"},
    {AuthStyle::SnowflakeOAuth, "oauth", "authorization: Bearer ",
     "\r\nx-snowflake-authorization-token-type: OAUTH\r\n"},
}};

constexpr bool rows_are_in_order() {
  for (size_t i = 0; i < kStyles.size(); ++i) {
    if (static_cast<size_t>(kStyles[i].style) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

constexpr size_t kShortestSecret = 4;

class StaticCredential final : public Credential {
 public:
  StaticCredential(const StyleRow& row, Secret key) : key_(std::move(key)) {
    if (key_.empty()) return;
    std::string lines(row.before);
    lines.append(key_.reveal()).append(row.after);
    lines_ = Secret(std::move(lines));
  }

  Result<void> append(std::string& out, int64_t /*wall_micros*/) const override {
    out.append(lines_.reveal());
    return {};
  }
  void scrub(std::string& text) const override { scrub_secret(text, key_.reveal()); }

 private:
  Secret key_;
  Secret lines_;
};

}  // namespace

std::string_view name_of(AuthStyle style) {
  return kStyles[static_cast<size_t>(style)].name;
}

std::shared_ptr<const Credential> make_static_credential(AuthStyle style, Secret key) {
  return std::make_shared<const StaticCredential>(kStyles[static_cast<size_t>(style)],
                                                  std::move(key));
}

void scrub_secret(std::string& text, std::string_view secret) {
  if (secret.size() < kShortestSecret) return;
  constexpr std::string_view kStars = "***";
  for (size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kStars.size())) {
    text.replace(at, secret.size(), kStars);
  }
}

}  // namespace sluice::providers
