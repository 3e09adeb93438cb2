#include "providers/lab_snowflake_auth.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "base/base64.h"

namespace sluice::providers {
namespace {

using testing::HasSubstr;

constexpr int64_t kNow = 1'795'420'800;

std::string base64url(std::string_view bytes) {
  std::string out = base64_encode(bytes);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out.substr(0, out.find('='));
}

// A key pair, made once for all tests of a run: making one takes long.
class KeyPair {
 public:
  explicit KeyPair(unsigned bits = 2048) : key_(EVP_RSA_gen(bits), &EVP_PKEY_free) {}

  std::string public_pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<size_t>(size)};
  }

  std::string signature(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    std::string out(512, '\0');
    size_t size = out.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    out.resize(size);
    return out;
  }

  std::string token(std::string_view claims,
                    std::string_view header = R"({"alg":"RS256","typ":"JWT"})") const {
    const std::string text = base64url(header) + '.' + base64url(claims);
    return text + '.' + base64url(signature(text));
  }

 private:
  std::shared_ptr<EVP_PKEY> key_;
};

class LabSnowflakeAuthTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    first_ = new KeyPair();
    second_ = new KeyPair();
  }
  static void TearDownTestSuite() {
    delete first_;
    delete second_;
  }

  static LabSnowflakeKeys keys(std::string_view user = "Sluice") {
    Result<LabSnowflakeKeys> made =
        LabSnowflakeKeys::make("myorg-lab", user, {first_->public_pem(), second_->public_pem()});
    EXPECT_TRUE(made) << made.error().message();
    return *std::move(made);
  }
  static std::string claims(size_t key = 0, int64_t issued = kNow, int64_t expires = kNow + 3000,
                            std::string_view subject = "MYORG-LAB.SLUICE") {
    return fmt::format(R"({{"iss":"{0}.{1}","sub":"{0}","iat":{2},"exp":{3}}})", subject,
                       keys().fingerprints()[key], issued, expires);
  }
  static std::string fault(std::string_view token, int64_t now = kNow) {
    return keys().fault_of(token, now);
  }
  static std::optional<LabSnowflakeRefusal> refusal(const std::string& token,
                                                    std::string_view type = "") {
    return LabSnowflakeAuth(keys()).refusal("Bearer " + token, type, kNow);
  }

  static KeyPair* first_;
  static KeyPair* second_;
};
KeyPair* LabSnowflakeAuthTest::first_ = nullptr;
KeyPair* LabSnowflakeAuthTest::second_ = nullptr;

TEST_F(LabSnowflakeAuthTest, ATokenOfEitherRegisteredKeyIsGood) {
  EXPECT_EQ(fault(first_->token(claims(0))), "");
  EXPECT_EQ(fault(second_->token(claims(1))), "");
}

TEST_F(LabSnowflakeAuthTest, TheSignatureMustBeByTheKeyThatTheIssuerNames) {
  EXPECT_THAT(fault(second_->token(claims(0))), HasSubstr("signature"));
  EXPECT_THAT(fault(KeyPair().token(claims(0))), HasSubstr("signature"));
  std::string token = first_->token(claims());
  token[token.size() - 10] = token[token.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_THAT(fault(token), HasSubstr("signature"));
}

TEST_F(LabSnowflakeAuthTest, OnlyRs256IsAnAlgorithm) {
  EXPECT_THAT(fault(first_->token(claims(), R"({"alg":"none"})")), HasSubstr("alg"));
  EXPECT_THAT(fault(first_->token(claims(), R"({"alg":"HS256","typ":"JWT"})")), HasSubstr("alg"));
  EXPECT_THAT(fault(first_->token(claims(), R"({"alg":"RS256","typ":"at+jwt"})")),
              HasSubstr("typ"));
  EXPECT_EQ(fault(first_->token(claims(), R"({"alg":"RS256"})")), "");
}

TEST_F(LabSnowflakeAuthTest, IssuerAndSubjectMustBeUpperCaseAndRight) {
  EXPECT_THAT(fault(first_->token(claims(0, kNow, kNow + 60, "myorg-lab.sluice"))),
              HasSubstr("sub"));
  EXPECT_THAT(fault(first_->token(claims(0, kNow, kNow + 60, "MYORG-LAB.OTHER"))),
              HasSubstr("sub"));
  const std::string other = fmt::format(
      R"({{"iss":"MYORG-LAB.SLUICE.SHA256:AAAA","sub":"MYORG-LAB.SLUICE","iat":{},"exp":{}}})",
      kNow, kNow + 60);
  EXPECT_THAT(fault(first_->token(other)), HasSubstr("iss"));
}

TEST_F(LabSnowflakeAuthTest, ATokenLivesFromItsIssueToItsEndAndAnHourAtMost) {
  EXPECT_EQ(fault(first_->token(claims(0, kNow + 60))), "");
  EXPECT_THAT(fault(first_->token(claims(0, kNow + 61))), HasSubstr("iat"));
  EXPECT_THAT(fault(first_->token(claims(0, kNow - 10, kNow))), HasSubstr("expired"));
  const std::string day = first_->token(claims(0, kNow, kNow + 86'400));
  EXPECT_EQ(fault(day, kNow + 3'599), "");
  EXPECT_THAT(fault(day, kNow + 3'600), HasSubstr("an hour"));
}

TEST_F(LabSnowflakeAuthTest, TimesMayBeMilliseconds) {
  EXPECT_EQ(fault(first_->token(claims(0, kNow * 1000, (kNow + 60) * 1000))), "");
  EXPECT_THAT(fault(first_->token(claims(0, kNow * 1000, (kNow + 60) * 1000)), kNow + 60),
              HasSubstr("expired"));
}

TEST_F(LabSnowflakeAuthTest, TextThatIsNoTokenIsRefused) {
  const std::string good = first_->token(claims());
  for (const std::string& bad :
       {std::string("a.b"), std::string(".."), good + "=", good + ".x", "?" + good,
        first_->token("[]"), first_->token("{}"), first_->token(claims(), "7")}) {
    EXPECT_NE(fault(bad), "") << bad;
  }
  for (size_t length = 0; length < good.size(); ++length)
    EXPECT_NE(fault(good.substr(0, length)), "") << length;
}

TEST_F(LabSnowflakeAuthTest, TheNameOfAnAccountLosesItsRegion) {
  const auto made = LabSnowflakeKeys::make("xy12345.us-east-1", "me", {first_->public_pem()});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->subject(), "XY12345.ME");
}

TEST_F(LabSnowflakeAuthTest, KeysThatSnowflakeWouldNotRegisterAreRefused) {
  const std::string pem = first_->public_pem();
  EXPECT_FALSE(LabSnowflakeKeys::make("a", "u", {}));
  EXPECT_FALSE(LabSnowflakeKeys::make("a", "u", {pem, pem, pem}));
  EXPECT_FALSE(LabSnowflakeKeys::make("a", "u", {"no key"}));
  EXPECT_FALSE(LabSnowflakeKeys::make("a", "u", {KeyPair(1024).public_pem()}));
  EXPECT_FALSE(LabSnowflakeKeys::make("", "u", {pem}));
}

TEST_F(LabSnowflakeAuthTest, TheCallerDoesNotLearnWhyAJwtIsInvalid) {
  const auto refused = refusal(first_->token(claims(0, kNow - 10, kNow)));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(refused->code, "390144");
  EXPECT_EQ(refused->message, "JWT token is invalid.");
  EXPECT_THAT(refused->reason, HasSubstr("expired"));
}

TEST_F(LabSnowflakeAuthTest, TheTypeOfATokenIsToldByTheHeaderOrSeenInTheToken) {
  const std::string jwt = first_->token(claims());
  EXPECT_FALSE(refusal(jwt));
  EXPECT_FALSE(refusal(jwt, "KEYPAIR_JWT"));
  EXPECT_EQ(refusal(jwt, "OAUTH")->code, "390303");
  EXPECT_FALSE(refusal("pat-lab"));
  EXPECT_FALSE(refusal("pat-lab", "PROGRAMMATIC_ACCESS_TOKEN"));
  EXPECT_EQ(refusal("pat-lab", "KEYPAIR_JWT")->code, "390144");
  EXPECT_FALSE(refusal("oauth-me", "OAUTH"));
  EXPECT_EQ(refusal("oauth-me", "SESSION")->status, 401);
}

TEST_F(LabSnowflakeAuthTest, OnlyTheAccessTokenOfTheLabIsGood) {
  EXPECT_EQ(refusal("pat-other")->code, "394400");
  const LabSnowflakeAuth other(LabSnowflakeKeys(), Secret("pat-mine"));
  EXPECT_FALSE(other.refusal("Bearer pat-mine", "", kNow));
  EXPECT_TRUE(other.refusal("Bearer pat-lab", "", kNow));
}

TEST_F(LabSnowflakeAuthTest, WithoutARoleACallerIsForbidden) {
  EXPECT_EQ(refusal("pat-lab-norole")->status, 403);
  EXPECT_EQ(refusal("oauth-me-norole")->status, 403);
  const LabSnowflakeAuth auth(keys("sluice_norole"));
  const std::string claims_of_user = claims(0, kNow, kNow + 60, "MYORG-LAB.SLUICE_NOROLE");
  EXPECT_EQ(auth.refusal("Bearer " + first_->token(claims_of_user), "", kNow)->status, 403);
}

TEST_F(LabSnowflakeAuthTest, WithoutABearerNobodyPasses) {
  const LabSnowflakeAuth auth;
  EXPECT_EQ(auth.refusal("", "", kNow)->code, "390101");
  EXPECT_EQ(auth.refusal("Basic abc", "", kNow)->status, 401);
  EXPECT_EQ(auth.refusal("Bearer a.b.c", "", kNow)->reason, "no public key is registered");
}

}  // namespace
}  // namespace sluice::providers
