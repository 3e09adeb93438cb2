#include "providers/portkey.h"

#include <gtest/gtest.h>

#include "providers/failure.h"

namespace sluice::providers {
namespace {

net::Headers headers(std::initializer_list<net::Header> fields) {
  net::Headers all;
  for (const net::Header& field : fields) all.add(field.name, field.value);
  return all;
}

std::string tamed(std::string_view config) {
  const Result<std::string> result = tamed_portkey_config(config);
  return result ? *result : "refused: " + result.error().message();
}

TEST(PortkeyConfig, LosesRetryAndCacheAtEveryLevel) {
  EXPECT_EQ(
      tamed(
          R"({"retry":{"attempts":3},"cache":{"mode":"simple"},"strategy":{"mode":"fallback"},"targets":[{"provider":"@a","retry":{"attempts":1}},{"targets":[{"cache":{},"provider":"b"}]}]})"),
      R"({"strategy":{"mode":"fallback"},"targets":[{"provider":"@a"},{"targets":[{"provider":"b"}]}]})");
}

TEST(PortkeyConfig, BecomesOneLine) {
  EXPECT_EQ(tamed("{\r\n  \"strategy\": {\n\"mode\": \"single\" }\n}"),
            R"({"strategy":{"mode": "single" }})");
}

TEST(PortkeyConfig, OfAnIdStaysAnIdAndBrokenJsonIsRefused) {
  EXPECT_EQ(tamed("pc-fallback-12"), "pc-fallback-12");
  for (const char* broken : {"{", R"({"retry":})", R"({"targets":[1]})", "{}x"}) {
    EXPECT_EQ(tamed(broken), "refused: the Portkey config is not valid JSON") << broken;
  }
}

TEST(PortkeyConfig, TheSecretsInItAreFoundAtEveryLevel) {
  const std::vector<Secret> secrets = portkey_config_secrets(
      R"({"api_key":"sk-1","strategy":{"mode":"x"},"targets":[{"api_key":"sk-2","weight":1,"aws_secret_access_key":"a"}]})");
  ASSERT_EQ(secrets.size(), 3U);
  EXPECT_TRUE(secrets[0].equals("sk-1"));
  EXPECT_TRUE(secrets[1].equals("sk-2"));
  EXPECT_TRUE(secrets[2].equals("a"));
  EXPECT_TRUE(portkey_config_secrets("pc-1").empty());
  EXPECT_TRUE(portkey_config_secrets("{").empty());
}

std::string fixed(const PortkeyOptions& options) {
  std::string out;
  append_portkey_fixed(out, options);
  return out;
}

TEST(PortkeyFixed, WithoutAConfigNothingIsSwitchedOffSinceNothingIsOn) {
  PortkeyOptions options;
  options.provider = "@openai-prod";
  EXPECT_EQ(fixed(options), "x-portkey-provider: @openai-prod\r\n");
}

TEST(PortkeyFixed, TheCacheOfANamedConfigIsPassedBy) {
  PortkeyOptions options;
  options.config = "pc-1";
  EXPECT_EQ(fixed(options), "x-portkey-config: pc-1\r\nx-portkey-cache-force-refresh: true\r\n");
}

TEST(PortkeyFixed, SelfHostedNeedsVendorKeyAndHost) {
  PortkeyOptions options;
  options.provider = "openai";
  options.custom_host = "http://127.0.0.1:9901/v1";
  options.vendor_key = Secret("sk-1");
  EXPECT_EQ(fixed(options),
            "x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:9901/v1\r\n"
            "authorization: Bearer sk-1\r\n");
}

std::string lines(const PortkeyOptions& options, const PortkeyCall& call,
                  const net::Headers& client = {}) {
  std::string out;
  append_portkey_lines(out, options, call, client);
  return out;
}

TEST(PortkeyLines, TellTraceTimeoutAndMetadata) {
  const Fact facts[] = {{"_user", "ann"}, {"request", "req_1"}};
  PortkeyOptions options;
  options.metadata = {{"_environment", "prod"}, {"_user", "nobody"}};
  EXPECT_EQ(
      lines(options,
            {.model = "m", .trace_id = "abc", .facts = facts, .timeout = 1'500 * kMillisecond + 1}),
      "x-portkey-trace-id: abc\r\nx-portkey-request-timeout: 1501\r\n"
      "x-portkey-metadata: {\"_user\":\"ann\",\"request\":\"req_1\",\"_environment\":\"prod\"}"
      "\r\n");
}

TEST(PortkeyLines, WhatTheClientBringsGoesFirst) {
  const Fact facts[] = {{"_user", "ann"}};
  EXPECT_EQ(lines({}, {.model = "m", .trace_id = "ours", .facts = facts},
                  headers({{"X-Portkey-Trace-Id", "theirs"},
                           {"x-portkey-metadata", R"({"_user":"bob","n":1,"team":"a"})"}})),
            "x-portkey-trace-id: theirs\r\n"
            "x-portkey-metadata: {\"_user\":\"bob\",\"team\":\"a\"}\r\n");
}

TEST(PortkeyMetadata, IsAsciiInOneLineAndCut) {
  const std::string longer(200, 'x');
  const Fact facts[] = {{"name", "J\u00f6rg \U0001F600"}, {"lines", "a\r\nb"}, {"long", longer}};
  EXPECT_EQ(portkey_metadata("", facts), R"({"name":"J\u00f6rg \ud83d\ude00","lines":"a\r\nb",)"
                                         R"("long":")" +
                                             std::string(128, 'x') + R"("})");
}

TEST(PortkeyMetadata, AClientsGarbageIsNoMetadata) {
  const Fact facts[] = {{"a", "1"}};
  for (const char* garbage : {"", "x", "[1]", "{", "\xff"}) {
    EXPECT_EQ(portkey_metadata(garbage, facts), R"({"a":"1"})") << garbage;
  }
  EXPECT_EQ(portkey_metadata("", {}), "");
}

TEST(PortkeyModel, AVirtualKeyIsNamedInTheModel) {
  PortkeyOptions options;
  options.virtual_keys = {{"openai", "openai-prod-1a"}};
  std::string storage;
  EXPECT_EQ(portkey_model(options, "openai/gpt-5", storage), "@openai-prod-1a/gpt-5");
  EXPECT_EQ(portkey_model(options, "openai2/gpt-5", storage), "openai2/gpt-5");
  EXPECT_EQ(portkey_model(options, "@other/gpt-5", storage), "@other/gpt-5");
  EXPECT_EQ(lines(options, {.model = "openai/gpt-5"}), "");
}

TEST(Portkey, AVirtualKeyMayComeWithItsModel) {
  PortkeyOptions options;
  options.virtual_keys = {{"gpt4", "prod-1/gpt-5.4"}, {"any", "prod-2"}};
  std::string storage;
  EXPECT_EQ(portkey_model(options, "gpt4", storage), "@prod-1/gpt-5.4");
  EXPECT_EQ(portkey_model(options, "gpt4/gpt-5", storage), "@prod-1/gpt-5");
  EXPECT_EQ(portkey_model(options, "any/o3", storage), "@prod-2/o3");
  EXPECT_EQ(portkey_model(options, "any", storage), "@prod-2/any");
  EXPECT_EQ(portkey_model(options, "gpt40", storage), "gpt40");
}

TEST(PortkeyFacts, AreReadFromTheReply) {
  const net::Headers reply = headers({{"x-portkey-retry-attempt-count", "-1"},
                                      {"x-portkey-cache-status", "SEMANTIC HIT"},
                                      {"x-portkey-last-used-option-index", "config.targets[1]"},
                                      {"x-portkey-provider", "openai"},
                                      {"x-portkey-trace-id", "t"}});
  const PortkeyFacts facts = read_portkey_facts(reply);
  EXPECT_EQ(facts.retries, -1);
  EXPECT_EQ(facts.cache_status, "SEMANTIC HIT");
  EXPECT_EQ(facts.option_index, "config.targets[1]");
  EXPECT_EQ(facts.provider, "openai");
  EXPECT_EQ(facts.trace_id, "t");
}

TEST(PortkeyFacts, WhatIsNotToldIsUnknown) {
  for (const char* garbage : {"", "x", "1x", "-2", "99999999999"}) {
    const PortkeyFacts facts =
        read_portkey_facts(headers({{"x-portkey-retry-attempt-count", garbage}}));
    EXPECT_EQ(facts.retries, std::nullopt) << garbage;
  }
}

struct OwnRow {
  int status;
  std::string_view body;
  bool own;
};
constexpr OwnRow kOwn[] = {
    {401, R"({"status":"failure","message":"Portkey Error: Invalid API Key. Error Code: 03"})",
     true},
    {404, R"({"success":false,"data":{"message":"no such config","errorCode":"AB02"}})", true},
    {412, R"({"error":{"message":"budget exhausted"}})", true},
    {500, R"({"html-message":"fetch failed: bad port"})", true},
    {502, "<html>Bad Gateway</html>", true},
    {500, "", true},
    {500, R"({"error":{"message":"something"}})", true},
    {500, R"({"error":{"message":"openai error: boom"},"provider":"openai"})", false},
    {503, R"({"error":{"message":"azure-openai error: busy"}})", false},
    {529, R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})", false},
    {429, R"({"error":{"message":"openai error: slow down"}})", false},
    {400, R"({"error":{"message":"openai error: bad"},"provider":"openai"})", false},
    {408, R"({"error":{"message":"Request exceeded the timeout","type":"timeout_error"}})", false},
    {446, R"({"hook_results":{}})", false},
};

TEST(Portkey, TellsItsOwnSicknessFromTheModels) {
  for (const OwnRow& row : kOwn) {
    EXPECT_EQ(is_portkeys_own(row.status, {}, read_error_body(row.body)), row.own)
        << row.status << " " << row.body;
    const Outcome outcome = classify(Kind::Portkey, row.status, {}, row.body, 0).outcome;
    EXPECT_EQ(outcome == Outcome::IntermediaryError, row.own) << row.status << " " << row.body;
  }
}

TEST(Portkey, ItsExceptionIsItsOwnAndAVendorsFieldsAreTheVendors) {
  const ErrorBody body = read_error_body(R"({"error":{"message":"m"}})");
  EXPECT_TRUE(is_portkeys_own(400, headers({{"x-portkey-gateway-exception", "true"}}), body));
  EXPECT_FALSE(is_portkeys_own(500, headers({{"openai-processing-ms", "12"}}), body));
}

TEST(Portkey, ARefusedPortkeyKeyIsToBlameAndLasts) {
  const UpstreamFailure failure =
      classify(Kind::Portkey, 401, {}, R"({"status":"failure","message":"Invalid API Key"})", 0);
  EXPECT_TRUE(failure.blames_key && failure.lasting);
  EXPECT_FALSE(classify(Kind::Portkey, 500, {}, "", 0).lasting);
}

}  // namespace
}  // namespace sluice::providers
