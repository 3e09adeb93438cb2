#include "providers/snowflake_jwt.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "base/base64.h"

namespace sluice::providers {
namespace {

constexpr int64_t kNow = 1'795'420'800'000'000;

using EvpKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string pem_of(EVP_PKEY* key, std::string passphrase = "") {
  const std::unique_ptr<BIO, decltype(&BIO_free)> sink(BIO_new(BIO_s_mem()), &BIO_free);
  const EVP_CIPHER* const cipher = passphrase.empty() ? nullptr : EVP_aes_256_cbc();
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(sink.get(), key, cipher, passphrase.data(),
                                          static_cast<int>(passphrase.size()), nullptr, nullptr),
            1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(sink.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

// One key for all tests: making one takes its time.
class SnowflakeJwtTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { key_ = EVP_RSA_gen(2048); }
  static void TearDownTestSuite() { EVP_PKEY_free(key_); }

  static SnowflakeKeyPair pair(std::string pem, std::string passphrase = "") {
    return {.account = "my-org-acct",
            .user = "svc",
            .private_key = Secret(std::move(pem)),
            .passphrase = Secret(std::move(passphrase))};
  }
  static std::shared_ptr<const SnowflakeJwt> make() {
    return *SnowflakeJwt::make(pair(pem_of(key_)));
  }
  static std::string refusal(const SnowflakeKeyPair& pair) {
    const auto made = SnowflakeJwt::make(pair);
    return made ? "made" : made.error().message();
  }

  static inline EVP_PKEY* key_ = nullptr;
};

std::string decoded(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  const size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  EXPECT_GE(length, 0);
  out.resize(static_cast<size_t>(length) - padding);
  return out;
}

struct Parts {
  std::string header;
  std::string claims;
  std::string signed_text;
  std::string signature;
};
Parts parts_of(const std::string& token) {
  const size_t first = token.find('.');
  const size_t last = token.rfind('.');
  return {.header = decoded(token.substr(0, first)),
          .claims = decoded(token.substr(first + 1, last - first - 1)),
          .signed_text = token.substr(0, last),
          .signature = decoded(token.substr(last + 1))};
}

TEST_F(SnowflakeJwtTest, TheClaimsAreThoseSnowflakeWants) {
  const auto jwt = make();
  const Parts parts = parts_of(*jwt->token(kNow));
  EXPECT_EQ(parts.header, R"({"alg":"RS256","typ":"JWT"})");
  EXPECT_EQ(parts.claims, R"({"iss":"MY-ORG-ACCT.SVC.)" + jwt->fingerprint() +
                              R"(","sub":"MY-ORG-ACCT.SVC","iat":1795420800,"exp":1795424400})");
}

TEST_F(SnowflakeJwtTest, TheSignatureIsVerifiedByThePublicKey) {
  const Parts parts = parts_of(*make()->token(kNow));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  ASSERT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_), 1);
  EXPECT_EQ(EVP_DigestVerify(context.get(),
                             reinterpret_cast<const unsigned char*>(parts.signature.data()),
                             parts.signature.size(),
                             reinterpret_cast<const unsigned char*>(parts.signed_text.data()),
                             parts.signed_text.size()),
            1);
}

TEST_F(SnowflakeJwtTest, TheFingerprintIsTheHashOfThePublicKeyAsItsPemHoldsIt) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> sink(BIO_new(BIO_s_mem()), &BIO_free);
  ASSERT_EQ(PEM_write_bio_PUBKEY(sink.get(), key_), 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(sink.get(), &bytes);
  std::string pem(bytes, static_cast<size_t>(size));
  std::string body;
  for (size_t at = pem.find('\n') + 1; pem[at] != '-'; ++at) {
    if (pem[at] != '\n' && pem[at] != '=') body += pem[at];
  }
  const std::string der = decoded(body);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(der.data()), der.size(), digest);
  EXPECT_EQ(make()->fingerprint(),
            "SHA256:" + base64_encode({reinterpret_cast<const char*>(digest), sizeof digest}));
}

TEST_F(SnowflakeJwtTest, ATokenIsKeptUntilFiveMinutesBeforeItsEnd) {
  const auto jwt = make();
  constexpr int64_t kMinute = 60'000'000;
  const std::string first = *jwt->token(kNow);
  EXPECT_EQ(*jwt->token(kNow + 55 * kMinute - 1'000'000), first);
  const std::string second = *jwt->token(kNow + 55 * kMinute);
  EXPECT_NE(second, first);
  EXPECT_NE(parts_of(second).claims.find("\"exp\":1795427700"), std::string::npos);
}

TEST_F(SnowflakeJwtTest, AClockThatWasSetBackMakesANewToken) {
  const auto jwt = make();
  const std::string first = *jwt->token(kNow);
  EXPECT_EQ(*jwt->token(kNow - 1'000'000), first);
  EXPECT_NE(*jwt->token(kNow - 600'000'000), first);
}

TEST_F(SnowflakeJwtTest, TheLinesNameTheKindOfToken) {
  const auto jwt = make();
  std::string out;
  ASSERT_TRUE(jwt->append(out, kNow).has_value());
  EXPECT_EQ(out, "authorization: Bearer " + *jwt->token(kNow) +
                     "\r\nx-snowflake-authorization-token-type: KEYPAIR_JWT\r\n");
  std::string text = "refused: " + *jwt->token(kNow);
  jwt->scrub(text);
  EXPECT_EQ(text, "refused: ***");
}

TEST_F(SnowflakeJwtTest, AnEncryptedKeyNeedsItsPassphrase) {
  const std::string pem = pem_of(key_, "open sesame");
  EXPECT_EQ((*SnowflakeJwt::make(pair(pem, "open sesame")))->fingerprint(), make()->fingerprint());
  EXPECT_EQ(refusal(pair(pem)), "the private key is encrypted, and no passphrase is given");
  EXPECT_EQ(refusal(pair(pem, "guess")), "the private key cannot be opened with this passphrase");
}

TEST_F(SnowflakeJwtTest, WhatIsNoGoodKeyIsRefusedWithoutShowingIt) {
  EXPECT_EQ(refusal(pair("sk-no-pem")), "the private key is no PEM text of a PKCS#8 key");
  EXPECT_EQ(refusal(pair("")), "the private key is no PEM text of a PKCS#8 key");
  const EvpKey small(EVP_RSA_gen(1024), &EVP_PKEY_free);
  EXPECT_EQ(refusal(pair(pem_of(small.get()))),
            "the private key has 1024 bits; Snowflake wants 2048 or more");
  const EvpKey curve(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  EXPECT_EQ(refusal(pair(pem_of(curve.get()))), "the private key is no RSA key");
}

TEST_F(SnowflakeJwtTest, AccountAndUserMustBeThere) {
  SnowflakeKeyPair nobody = pair(pem_of(key_));
  nobody.user = "";
  EXPECT_EQ(refusal(nobody), "the user is empty");
  nobody.account = "https://";
  EXPECT_EQ(refusal(nobody), "the account is empty");
}

TEST(SnowflakeAccount, IsUpperCaseWithoutRegionOrHost) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"myorg-acct", "MYORG-ACCT"},
      {"MyOrg-My_Acct", "MYORG-MY_ACCT"},
      {"myorg-acct.one", "MYORG-ACCT-ONE"},
      {"xy12345", "XY12345"},
      {"xy12345.eu-west-1", "XY12345"},
      {"xy12345.us-east-2.aws", "XY12345"},
      {"acct-q1w2e3.global", "ACCT"},
      {"https://myorg-acct.snowflakecomputing.com/", "MYORG-ACCT"},
      {"xy12345.eu-west-1.snowflakecomputing.com", "XY12345"},
  };
  for (const auto& [written, account] : rows) EXPECT_EQ(snowflake_account(written), account);
  EXPECT_EQ(snowflake_user("Svc_User"), "SVC_USER");
}

TEST(SnowflakeHost, IsLowerCaseWithDashes) {
  EXPECT_EQ(snowflake_host("MyOrg-My_Acct"), "myorg-my-acct.snowflakecomputing.com");
  EXPECT_EQ(snowflake_host("xy12345.eu-west-1"), "xy12345.eu-west-1.snowflakecomputing.com");
  EXPECT_EQ(snowflake_host("https://myorg-acct.snowflakecomputing.com"),
            "myorg-acct.snowflakecomputing.com");
}

}  // namespace
}  // namespace sluice::providers
