#include <gtest/gtest.h>
#include <random>
#include <string>

#include "wire/openai.h"

namespace sluice::openai {
namespace {

using chat::Endpoint;

Result<chat::Reply> reply_with(const std::string& usage) {
  return decode_reply(
      Endpoint::Chat,
      R"({"model":"m","choices":[{"message":{"content":"a"}}],"usage":)" + usage + "}");
}

std::optional<chat::Usage> usage_of(const std::string& usage) {
  const Result<chat::Reply> reply = reply_with(usage);
  EXPECT_TRUE(reply) << usage;
  return reply ? reply->usage : std::nullopt;
}

// The bucket sums are the provider's totals, whatever the details say.
TEST(OpenAiReply, TOK_1_BucketsSumToTheTotalsForRandomCounts) {
  std::mt19937_64 random(7);
  const auto upto = [&](int64_t most) { return static_cast<int64_t>(random() % (most + 1)); };
  const auto detail = [&]() -> std::string {
    return random() % 4 == 0 ? "null" : std::to_string(upto(2000));
  };
  for (int i = 0; i < 20'000; ++i) {
    const int64_t prompt = 1 + upto(1000);
    const int64_t completion = upto(1000);
    const std::optional<chat::Usage> usage =
        usage_of(R"({"prompt_tokens":)" + std::to_string(prompt) + R"(,"completion_tokens":)" +
                 std::to_string(completion) + R"(,"prompt_tokens_details":{"cached_tokens":)" +
                 detail() + R"(,"cache_write_tokens":)" + detail() + R"(,"audio_tokens":)" +
                 detail() + R"(},"completion_tokens_details":{"reasoning_tokens":)" + detail() +
                 R"(,"audio_tokens":)" + detail() + "}}");
    ASSERT_TRUE(usage);
    ASSERT_EQ(usage->input(), prompt);
    ASSERT_EQ(usage->output(), completion);
    for (const int64_t bucket :
         {usage->plain_input, usage->cache_read, usage->cache_write, usage->cache_write_1h,
          usage->audio_input, usage->visible_output, usage->reasoning, usage->audio_output}) {
      ASSERT_GE(bucket, 0);
    }
  }
}

TEST(OpenAiReply, MissingAndNullDetailsAreNoDetails) {
  const std::optional<chat::Usage> usage =
      usage_of(R"({"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":null})");
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->plain_input, 5);
  EXPECT_EQ(usage->visible_output, 2);
}

TEST(OpenAiReply, U45_UsageThatCannotBeIsAbsentAndNeverNegative) {
  for (const char* usage :
       {"null", "{}", "[]", "7", R"({"completion_tokens":3})",
        R"({"prompt_tokens":-1,"completion_tokens":3})", R"({"prompt_tokens":"5"})",
        R"({"prompt_tokens":5,"completion_tokens":1.5})", R"({"prompt_tokens":5e9})",
        R"({"prompt_tokens":99999999999999999999})", R"({"prompt_tokens":0,"completion_tokens":0})",
        R"({"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":-3}})",
        R"({"prompt_tokens":5,"completion_tokens":true})"}) {
    EXPECT_EQ(usage_of(usage), std::nullopt) << usage;
  }
}

TEST(OpenAiReply, COST_7_OnlyAPositiveNumberIsACost) {
  const auto cost_of = [](const std::string& cost) {
    return usage_of(R"({"prompt_tokens":5,"completion_tokens":2,"cost":)" + cost + "}")
        ->provider_cost;
  };
  for (const char* none : {"0", "0.0", "null", "true", "false", "-1", "\"0.5\"", "{}", "[1]"}) {
    EXPECT_EQ(cost_of(none), std::nullopt) << none;
  }
  EXPECT_EQ(cost_of("0.00125"), 0.00125);
}

TEST(OpenAiReply, TOK_6_TheChargeToOnesOwnAccountStandsApart) {
  const auto told = [](const std::string& own) {
    return *usage_of(R"({"prompt_tokens":5,"cost":0.25,"is_byok":)" + own +
                     R"(,"cost_details":{"upstream_inference_cost":0.5}})");
  };
  EXPECT_EQ(told("true").provider_cost, 0.25);
  EXPECT_EQ(told("true").upstream_cost, 0.5);
  EXPECT_TRUE(told("true").own_key);
  EXPECT_EQ(told("false").provider_cost, 0.25);
  EXPECT_EQ(told("false").upstream_cost, std::nullopt);
  EXPECT_FALSE(told("false").own_key);
  EXPECT_EQ(usage_of(R"({"prompt_tokens":5,"cost":0,"is_byok":true})")->provider_cost, 0)
      << "the intermediary took nothing";
}

TEST(OpenAiReply, TOK_8_TheReplySaysAtWhichTierItWasBilled) {
  const auto tier_of = [](const std::string& member) {
    const auto reply = decode_reply(chat::Endpoint::Chat,
                                    R"({"choices":[],"usage":{"prompt_tokens":5})" + member + "}");
    return reply->usage->tier;
  };
  EXPECT_EQ(tier_of(R"(,"service_tier":"flex")"), chat::ServiceTier::Flex);
  EXPECT_EQ(tier_of(R"(,"service_tier":"default")"), chat::ServiceTier::Standard);
  EXPECT_EQ(tier_of(R"(,"service_tier":"scale")"), chat::ServiceTier::Other);
  for (const char* silent : {"", R"(,"service_tier":null)", R"(,"service_tier":"auto")"}) {
    EXPECT_EQ(tier_of(silent), chat::ServiceTier::Unsaid) << silent;
  }
}

TEST(OpenAiReply, FB_10_ErrorsInsideA200AreClassed) {
  const std::pair<const char*, Outcome> cases[] = {
      {R"({"error":{"message":"x","code":429}})", Outcome::UpstreamRateLimit},
      {R"({"error":{"message":"x","code":"429"}})", Outcome::UpstreamRateLimit},
      {R"({"error":{"message":"x","type":"insufficient_quota"}})", Outcome::UpstreamRateLimit},
      {R"({"error":{"message":"x","code":402}})", Outcome::UpstreamAuth},
      {R"({"error":{"message":"x","type":"overloaded_error"}})", Outcome::UpstreamOverloaded},
      {R"({"error":{"message":"x","code":400}})", Outcome::UpstreamRejected},
      {R"({"error":{"message":"x","code":"context_length_exceeded"}})", Outcome::UpstreamRejected},
      {R"({"error":{"message":"x","code":408}})", Outcome::UpstreamError},
      {R"({"error":{"message":"x","code":500}})", Outcome::UpstreamError},
      {R"({"error":"plain words"})", Outcome::UpstreamError},
      {R"({"object":"error","message":"x"})", Outcome::UpstreamError},
  };
  for (const auto& [body, outcome] : cases) {
    const Result<chat::Reply> reply = decode_reply(Endpoint::Chat, body);
    ASSERT_TRUE(reply) << body;
    EXPECT_TRUE(reply->is_error) << body;
    EXPECT_EQ(reply->error_outcome, outcome) << body;
    EXPECT_FALSE(reply->error_message.empty()) << body;
  }
  EXPECT_FALSE(reply_with("null")->is_error);
  for (const char* none : {"null", "false", "\"\""}) {
    const std::string body = std::string(R"({"choices":[],"error":)") + none + "}";
    EXPECT_FALSE(decode_reply(Endpoint::Chat, body)->is_error) << none;
  }
}

TEST(OpenAiReply, FB_10_WhatIsNoReplyIsABadReply) {
  for (const char* body : {"", " ", "<html>", "[]", "null", "{\"choices\":[", "{} x", "\xff", "{}",
                           "{\"choices\":null}"}) {
    const Result<chat::Reply> reply = decode_reply(Endpoint::Chat, body);
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().outcome(), Outcome::UpstreamBadReply);
  }
}

TEST(OpenAiReply, DISC_5_OutputCountsTextReasoningAndToolArgumentsUnescaped) {
  const Result<chat::Reply> reply = decode_reply(
      Endpoint::Chat,
      R"({"choices":[{"message":{"content":"a\n\u00e9","reasoning_content":"bc","tool_calls":)"
      R"([{"function":{"name":"f","arguments":"{\"x\":1}"}}]}},{"message":{"refusal":"no"}}]})");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->output_bytes, 4 + 2 + 7 + 2);
  EXPECT_TRUE(reply->has_content);
}

}  // namespace
}  // namespace sluice::openai
