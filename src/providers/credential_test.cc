#include "providers/credential.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

std::string lines_of(AuthStyle style, std::string key) {
  std::string out;
  EXPECT_TRUE(make_static_credential(style, Secret(std::move(key)))->append(out, 0).has_value());
  return out;
}

TEST(Credential, EachStyleHasItsLine) {
  EXPECT_EQ(lines_of(AuthStyle::Bearer, "k"), "authorization: Bearer k\r\n");
  EXPECT_EQ(lines_of(AuthStyle::XApiKey, "k"), "x-api-key: k\r\n");
  EXPECT_EQ(lines_of(AuthStyle::ApiKey, "k"), "api-key: k\r\n");
  EXPECT_EQ(lines_of(AuthStyle::XGoogApiKey, "k"), "x-goog-api-key: k\r\n");
  EXPECT_EQ(lines_of(AuthStyle::Portkey, "k"), "x-portkey-api-key: k\r\n");
  EXPECT_EQ(lines_of(AuthStyle::SnowflakePat, "k"),
            "authorization: Bearer k\r\n"
            "x-snowflake-authorization-token-type: PROGRAMMATIC_ACCESS_TOKEN\r\n");
  EXPECT_EQ(lines_of(AuthStyle::SnowflakeOAuth, "k"),
            "authorization: Bearer k\r\nx-snowflake-authorization-token-type: OAUTH\r\n");
}

TEST(Credential, WithoutAKeyThereIsNoLine) {
  EXPECT_EQ(lines_of(AuthStyle::Bearer, ""), "");
}

TEST(Credential, TakesItsKeyOutOfATextWhereverItStands) {
  std::string text = "key sk-abcd is not sk-abcdsk-abcd";
  make_static_credential(AuthStyle::Bearer, Secret("sk-abcd"))->scrub(text);
  EXPECT_EQ(text, "key *** is not ******");
}

TEST(Credential, AKeyTooShortToBeOneIsLeft) {
  std::string text = "a lab of labs";
  make_static_credential(AuthStyle::Bearer, Secret("lab"))->scrub(text);
  EXPECT_EQ(text, "a lab of labs");
}

}  // namespace
}  // namespace sluice::providers
