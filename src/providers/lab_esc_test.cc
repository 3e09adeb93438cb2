#include "providers/lab_esc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/lab_test_server.h"

namespace sluice::providers {
namespace {

using testing::HasSubstr;

constexpr std::string_view kGood = "token pul-0123456789";
constexpr std::string_view kOpen = "/api/esc/environments/acme/llm/prod/open";

class LabEscTest : public testing::Test {
 protected:
  LabEsc::Answer ask(std::string_view method, std::string_view path, std::string_view query = "",
                     std::string_view authorization = kGood) {
    return esc.answer(
        method, path, query, authorization, [this] { return content; }, now);
  }
  // The path of a new session.
  std::string opened(std::string_view query = "duration=2h0m0s") {
    const std::string body = ask("POST", kOpen, query).body;
    const size_t from = body.find("lab-");
    return std::string(kOpen) + "/" + body.substr(from, body.rfind('"') - from);
  }

  LabEsc esc;
  Nanos now = 0;
  std::string content =
      R"({"acme/llm/prod": {"a": {"b": [{"fn::secret": "x"}, 1.5, true]}, "n": null},
          "acme/llm/prod@3": {"v": 3}})";
};

TEST_F(LabEscTest, GivesEveryValueInANodeOfItsOwn) {
  EXPECT_EQ(ask("GET", opened()).body,
            R"({"exprs":{},"properties":{"a":{"value":{"b":{"value":[)"
            R"({"value":"x","secret":true,"trace":{}},{"value":1.5,"trace":{}},)"
            R"({"value":true,"trace":{}}],"trace":{}}},"trace":{}},"n":{"trace":{}}},)"
            R"("schema":{}})"
            "\n");
}

TEST_F(LabEscTest, AVersionIsAnEnvironmentOfItsOwn) {
  EXPECT_EQ(ask("POST", "/api/esc/environments/acme/llm/prod/versions/3/open").status, 200);
  EXPECT_EQ(ask("POST", "/api/esc/environments/acme/llm/prod/versions/4/open").status, 404);
}

TEST_F(LabEscTest, TheTokenIsOneOfPulumi) {
  for (const char* wrong : {"", "token ", "token pul-", "Bearer pul-0123", "token sk-0123",
                            "token pul-invalid-1", "pul-0123"}) {
    const LabEsc::Answer refused = ask("POST", kOpen, "", wrong);
    EXPECT_EQ(refused.status, 401) << wrong;
    EXPECT_THAT(refused.body, HasSubstr(R"({"code":401,"message":)"));
  }
}

TEST_F(LabEscTest, WhatIsNotThereIsNotFound) {
  for (const char* path :
       {"/api/esc/environments/acme/llm/dev/open", "/api/esc/environments/acme/llm/open",
        "/api/esc/environments/acme/llm/prod/close", "/api/esc/other",
        "/api/esc/environments/acme/llm/prod/versions/3/close"})
    EXPECT_EQ(ask("POST", path).status, 404) << path;
  EXPECT_EQ(ask("GET", std::string(kOpen) + "/lab-1").status, 404);
  EXPECT_EQ(ask("GET", kOpen).status, 405);
}

TEST_F(LabEscTest, ASessionEndsAndBelongsToItsEnvironment) {
  const std::string path = opened("duration=1m30s");
  std::string other = path;
  other.replace(other.find("prod"), 4, "test");
  EXPECT_EQ(ask("GET", other).status, 404);
  now += 89 * kSecond;
  EXPECT_EQ(ask("GET", path).status, 200);
  now += kSecond;
  EXPECT_EQ(ask("GET", path).status, 404);
}

TEST_F(LabEscTest, ADurationIsOneOfGo) {
  for (const char* wrong : {"duration=", "duration=2", "duration=h", "duration=2d", "duration=-1h"})
    EXPECT_EQ(ask("POST", kOpen, wrong).status, 400) << wrong;
}

TEST_F(LabEscTest, EachOpeningReadsTheSourceAnew) {
  const std::string before = opened();
  content = R"({"acme/llm/prod": {"a": "new"}})";
  EXPECT_THAT(ask("GET", opened()).body, HasSubstr("new"));
  EXPECT_THAT(ask("GET", before).body, HasSubstr("1.5"));
  content = "[]";
  EXPECT_EQ(ask("POST", kOpen).status, 500);
  content = "";
  EXPECT_EQ(ask("POST", kOpen).status, 500);
}

TEST_F(LabServerTest, EscStandsBesideTheOtherPages) {
  state.options.esc = [] { return Result<std::string>(R"({"acme/llm/prod": {"a": "x"}})"); };
  const LabTestHeaders good = {{"Authorization", std::string(kGood)}};
  EXPECT_EQ(lab_status(post(kOpen, "", {})), 401);
  EXPECT_THAT(post(kOpen, "", good), HasSubstr(R"({"id":"lab-000000000001"})"));
  EXPECT_THAT(get(std::string(kOpen) + "/lab-000000000001", good), HasSubstr(R"("value":"x")"));
}

}  // namespace
}  // namespace sluice::providers
