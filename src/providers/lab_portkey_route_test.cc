#include "providers/lab_portkey_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace sluice::providers {
namespace {

using testing::HasSubstr;

using Sent = std::map<std::string, std::string, std::less<>>;

struct Routed {
  std::optional<LabError> refusal;
  LabPortkeyRoute route;
};

Routed routed(const Sent& sent, std::string_view model = "lab/chat", bool with_key = true) {
  net::Headers headers;
  if (with_key) headers.add("x-portkey-api-key", "pk-1");
  for (const auto& [name, value] : sent) headers.add(name, value);
  Routed result;
  result.refusal = check_lab_portkey_head(headers, result.route);
  if (!result.refusal) result.refusal = route_lab_portkey(headers, model, result.route);
  return result;
}

std::string refusal(const Sent& sent, std::string_view model = "lab/chat") {
  const auto result = routed(sent, model).refusal;
  return result ? result->body : "";
}

TEST(LabPortkeyRoute, AllWaysOfNamingAProviderLeadThere) {
  for (const auto& [sent, model] :
       {std::pair(Sent{{"x-portkey-virtual-key", "prod-claude-primary"}}, "lab/chat"),
        {Sent{{"x-portkey-provider", "@prod-claude-primary"}}, "lab/chat"},
        {Sent{}, "@prod-claude-primary/lab/chat"},
        {Sent{{"x-portkey-config", R"({"provider":"@prod-claude-primary"})"}}, "lab/chat"},
        {Sent{{"x-portkey-provider", "anthropic"}, {"authorization", "Bearer k"}}, "lab/chat"}}) {
    const Routed result = routed(sent, model);
    EXPECT_FALSE(result.refusal) << result.refusal->body;
    EXPECT_EQ(result.route.vendor, "anthropic");
    EXPECT_EQ(result.route.model, "lab/chat");
    EXPECT_EQ(result.route.key_fault, "");
  }
}

TEST(LabPortkeyRoute, TheSlugInTheModelComesFirst) {
  const Routed result =
      routed({{"x-portkey-provider", "@prod-claude-primary"}}, "@prod-gpt4-primary/lab/fast");
  EXPECT_EQ(result.route.vendor, "openai");
  EXPECT_EQ(result.route.model, "lab/fast");
}

TEST(LabPortkeyRoute, AConfigMayChangeTheModel) {
  const Routed result =
      routed({{"x-portkey-config",
               R"({"override_params":{"model":"@lab/lab/fast"},"retry":{"attempts":2}})"}});
  EXPECT_FALSE(result.refusal);
  EXPECT_EQ(result.route.model, "lab/fast");
  EXPECT_EQ(result.route.retries, 2);
  EXPECT_EQ(result.route.option, "config");
}

TEST(LabPortkeyRoute, WithoutAPortkeyKeyNobodyPasses) {
  const auto none = routed({{"x-portkey-provider", "@lab"}}, "lab/chat", false).refusal;
  ASSERT_TRUE(none);
  EXPECT_EQ(none->status, 401);
  EXPECT_THAT(none->body, HasSubstr(R"({"status":"failure","message":"Portkey Error)"));
  const auto bad =
      routed({{"x-portkey-provider", "@lab"}, {"x-portkey-api-key", "invalid-1"}}, "m", false);
  EXPECT_EQ(bad.refusal->status, 401);
}

TEST(LabPortkeyRoute, WhatPortkeyDoesNotKnowIsRefused) {
  EXPECT_THAT(refusal({}), HasSubstr("Either x-portkey-config or x-portkey-provider header"));
  EXPECT_THAT(refusal({{"x-portkey-provider", "@stranger"}}), HasSubstr("Invalid provider"));
  EXPECT_THAT(refusal({{"x-portkey-provider", "stranger"}}), HasSubstr("Invalid provider"));
  EXPECT_THAT(refusal({{"x-portkey-virtual-key", "stranger"}}), HasSubstr("Invalid provider"));
  EXPECT_THAT(refusal({}, "@stranger/lab/chat"), HasSubstr("Invalid provider"));
  EXPECT_THAT(refusal({}, "@lab"), testing::IsEmpty());  // the model is the vendor's to miss
  EXPECT_THAT(refusal({{"x-portkey-config", "pc-stranger"}}), HasSubstr("valid json"));
  EXPECT_THAT(refusal({{"x-portkey-config", R"({"retry":{"attempts":2}})"}}),
              HasSubstr("x-portkey-provider needs to be passed"));
  EXPECT_THAT(refusal({{"x-portkey-config", R"({"cache":{"mode":"x"}})"}}),
              HasSubstr(R"("message":"Invalid config passed","errors":["path: cache,mode)"));
}

TEST(LabPortkeyRoute, MetadataIsAnObjectOfShortStrings) {
  const auto with = [](std::string metadata) {
    return refusal({{"x-portkey-provider", "@lab"}, {"x-portkey-metadata", std::move(metadata)}});
  };
  EXPECT_EQ(with(R"({"_user":"u","team":")" + std::string(128, 'x') + "\"}"), "");
  for (const std::string& bad : {std::string("u"), std::string("[]"), std::string(R"({"a":1})"),
                                 R"({"a":")" + std::string(129, 'x') + "\"}"})
    EXPECT_THAT(with(bad), HasSubstr("Invalid metadata")) << bad;
}

TEST(LabPortkeyRoute, SwitchesAndTimeoutsAreChecked) {
  const auto with = [](std::string name, std::string value) {
    return refusal({{"x-portkey-provider", "@lab"}, {std::move(name), std::move(value)}});
  };
  EXPECT_EQ(with("x-portkey-cache-force-refresh", "true"), "");
  EXPECT_NE(with("x-portkey-cache-force-refresh", "1"), "");
  EXPECT_EQ(with("x-portkey-request-timeout", "500"), "");
  for (const char* bad : {"0", "-1", "5s", "", "1.5"})
    EXPECT_THAT(with("x-portkey-request-timeout", bad), HasSubstr("timeout")) << bad;
  EXPECT_NE(with("x-portkey-custom-host", "https://api.portkey.ai/v1"), "");
}

TEST(LabPortkeyRoute, AVendorWithoutASlugJudgesItsOwnKey) {
  EXPECT_THAT(routed({{"x-portkey-provider", "openai"}}).route.key_fault, HasSubstr("didn't"));
  EXPECT_THAT(routed({{"x-portkey-provider", "openai"}, {"authorization", "Bearer invalid"}})
                  .route.key_fault,
              HasSubstr("Incorrect"));
  const Sent config = {{"x-portkey-config", R"({"provider":"openai","api_key":"sk"})"}};
  EXPECT_EQ(routed(config).route.key_fault, "");
}

TEST(LabPortkeyRoute, ACacheIsOffWithoutAConfigOrWithoutALog) {
  const std::string config = R"({"provider":"@lab","cache":{"mode":"simple"}})";
  EXPECT_FALSE(routed({{"x-portkey-provider", "@lab"}}).route.caches);
  EXPECT_TRUE(routed({{"x-portkey-config", config}}).route.caches);
  EXPECT_FALSE(routed({{"x-portkey-config", config}, {"x-portkey-debug", "false"}}).route.caches);
}

}  // namespace
}  // namespace sluice::providers
