// What the gateway says to clients of the Anthropic dialect, and how it counts.
#include <gtest/gtest.h>
#include <string>

#include "wire/anthropic.h"
#include "wire/anthropic_conversation.h"
#include "wire/anthropic_usage.h"

namespace sluice {
namespace {

std::string overflow(const std::string& message) {
  const std::string body =
      anthropic::encode_error(Error(Outcome::ContextOverflow, message), "req_1");
  const std::string_view head =
      R"({"type":"error","error":{"type":"invalid_request_error","message":")";
  EXPECT_TRUE(body.starts_with(head)) << body;
  return body.substr(head.size(), body.find("\"},\"request_id\"") - head.size());
}

TEST(AnthropicFaces, SSE_7_AnErrorIsAnObjectOfTypeErrorWithItsRequest) {
  const Error error(Outcome::Unauthorized, "no \"key\"");
  EXPECT_EQ(anthropic::encode_error(error, "req_1"),
            R"({"type":"error","error":{"type":"authentication_error","message":"no \"key\""},)"
            R"("request_id":"req_1"})");
  EXPECT_TRUE(anthropic::encode_error(error, "").ends_with(R"("request_id":null})"));
}

TEST(AnthropicFaces, FB_3_AnErrorEventIsNamedErrorAndIsTheSameObject) {
  const Error error(Outcome::Truncated, "cut short");
  EXPECT_EQ(anthropic::encode_error_event(error, "req_1"),
            "event: error\ndata: " + anthropic::encode_error(error, "req_1") + "\n\n");
}

TEST(AnthropicFaces, RET_3_AContextOverflowIsWordedAsClientsReadIt) {
  EXPECT_EQ(overflow("This model's maximum context length is 128000 tokens. However, your messages "
                     "resulted in 130501 tokens. Please reduce the length of the messages."),
            "prompt is too long: 130501 tokens > 128000 maximum");
  EXPECT_EQ(
      overflow("This endpoint's maximum context length is 131,072 tokens. However, you "
               "requested about 140,000 tokens (139,000 of text input, 1,000 in the output)."),
      "prompt is too long: 140000 tokens > 131072 maximum");
  EXPECT_EQ(overflow("gpt-4-32768 and qwen2.5: The input token count (1200000) exceeds the maximum "
                     "number of tokens allowed (1048576)."),
            "prompt is too long: 1200000 tokens > 1048576 maximum");
}

TEST(AnthropicFaces, RET_3_TheProvidersOwnWordsStayAndUnknownNumbersAreNotInvented) {
  const std::string own = "prompt is too long: 210000 tokens > 200000 maximum";
  EXPECT_EQ(overflow(own), own);
  const std::string limit =
      "input length and `max_tokens` exceed context limit: 199846 + 21333 > 200000, decrease input";
  EXPECT_EQ(overflow(limit), limit);
  EXPECT_EQ(overflow("too many tokens in 3 messages"),
            "prompt is too long: too many tokens in 3 messages");
  EXPECT_EQ(overflow("the limit is 8192 tokens"), "prompt is too long: the limit is 8192 tokens");
}

TEST(AnthropicFaces, EveryOutcomeHasATypeThatFitsItsStatus) {
  struct Row {
    Outcome outcome;
    std::string_view type;
    int status;
  };
  constexpr Row kRows[] = {
      {Outcome::BadRequest, "invalid_request_error", 400},
      {Outcome::ContextOverflow, "invalid_request_error", 400},
      {Outcome::Unsupported, "invalid_request_error", 400},
      {Outcome::Unauthorized, "authentication_error", 401},
      {Outcome::Forbidden, "permission_error", 403},
      {Outcome::ModelNotFound, "not_found_error", 404},
      {Outcome::TooLarge, "request_too_large", 413},
      {Outcome::UpstreamRateLimit, "rate_limit_error", 429},
      {Outcome::FirstByteTimeout, "timeout_error", 504},
      {Outcome::UpstreamOverloaded, "overloaded_error", 529},
      {Outcome::Overloaded, "overloaded_error", 529},
      {Outcome::UpstreamBadReply, "api_error", 502},
      {Outcome::Bug, "api_error", 500},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(anthropic::error_type_of(row.outcome), row.type) << name_of(row.outcome);
    EXPECT_EQ(anthropic::status_of(row.outcome), row.status) << name_of(row.outcome);
  }
}

TEST(AnthropicFaces, AnUpstreamsErrorMeansWhatItsTypeSays) {
  EXPECT_EQ(anthropic::outcome_of_error("overloaded_error", "Overloaded"),
            Outcome::UpstreamOverloaded);
  EXPECT_EQ(anthropic::outcome_of_error("billing_error", ""), Outcome::UpstreamAuth);
  EXPECT_EQ(anthropic::outcome_of_error("invalid_request_error", "x"), Outcome::UpstreamRejected);
  EXPECT_EQ(anthropic::outcome_of_error("invalid_request_error",
                                        "prompt is too long: 2 tokens > 1 maximum"),
            Outcome::ContextOverflow);
  EXPECT_EQ(anthropic::outcome_of_error("invalid_request_error",
                                        "Output blocked by content filtering policy"),
            Outcome::ContentPolicy);
  EXPECT_EQ(anthropic::outcome_of_error("new_error", "x"), Outcome::UpstreamError);
}

TEST(AnthropicFaces, ModelsAreOnePageWithItsEnds) {
  const anthropic::Model models[] = {{.id = "smart", .display_name = "", .created = 1760000000},
                                     {.id = "fast", .display_name = "Fast", .created = 0}};
  EXPECT_EQ(anthropic::encode_models(models),
            R"({"data":[{"type":"model","id":"smart","display_name":"smart",)"
            R"("created_at":"2025-10-09T08:53:20.000Z"},{"type":"model","id":"fast",)"
            R"("display_name":"Fast","created_at":"1970-01-01T00:00:00.000Z"}],)"
            R"("has_more":false,"first_id":"smart","last_id":"fast"})");
  EXPECT_EQ(anthropic::encode_models({}),
            R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
}

TEST(AnthropicFaces, ACountIsReadAsItIsWritten) {
  const Result<int64_t> count = anthropic::decode_count(anthropic::encode_count(57));
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 57);
  for (const std::string bad : {"", "[]", "{}", R"({"input_tokens":-1})", R"({"input_tokens":"5"})",
                                R"({"input_tokens":5)", "<html>"}) {
    const Result<int64_t> none = anthropic::decode_count(bad);
    EXPECT_FALSE(none) << bad;
    if (!none) EXPECT_EQ(none.error().outcome(), Outcome::UpstreamBadReply);
  }
}

TEST(AnthropicUsage, TOK_1_TheBucketsAreDisjointAndSumToTheProvidersTotals) {
  uint64_t seed = 1;
  const auto next = [&](int64_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((seed >> 33) % static_cast<uint64_t>(below)) - 1;
  };
  for (int round = 0; round < 20'000; ++round) {
    const anthropic::UsageCounts counts{.input = next(1000),
                                        .cache_write = next(1000),
                                        .cache_write_5m = next(1000),
                                        .cache_write_1h = next(1000),
                                        .cache_read = next(1000),
                                        .output = next(1000),
                                        .thinking = next(1000)};
    const std::optional<chat::Usage> usage = counts.buckets();
    if (!usage) continue;
    const auto count = [](int64_t value) { return std::max<int64_t>(value, 0); };
    const int64_t written = counts.cache_write >= 0
                                ? counts.cache_write
                                : count(counts.cache_write_5m) + count(counts.cache_write_1h);
    ASSERT_EQ(usage->input(), counts.input + written + count(counts.cache_read));
    ASSERT_EQ(usage->output(), count(counts.output));
    for (const int64_t bucket : {usage->plain_input, usage->cache_read, usage->cache_write,
                                 usage->cache_write_1h, usage->visible_output, usage->reasoning}) {
      ASSERT_GE(bucket, 0);
    }
  }
}

TEST(AnthropicUsage, TOK_3_TOK_4_WhatIsWrittenIsReadAgainWithItsLifetimes) {
  const chat::Usage usage{.plain_input = 3,
                          .cache_read = 100,
                          .cache_write = 2304,
                          .cache_write_1h = 10000,
                          .visible_output = 500,
                          .reasoning = 50};
  std::string text;
  anthropic::append_usage(text, usage);
  json::Reader reader(text);
  anthropic::UsageCounts counts;
  ASSERT_TRUE(anthropic::read_usage(reader, &counts) && reader.finish());
  EXPECT_EQ(counts.input, 3);  // caches are not in it
  EXPECT_EQ(counts.cache_write, 12304);
  ASSERT_TRUE(counts.buckets());
  EXPECT_EQ(*counts.buckets(), usage);
}

TEST(AnthropicUsage, TOK_2_TheCallOfTheRecordHasItsWritesApart) {
  const Result<chat::Reply> reply = anthropic::decode_reply(
      R"({"type":"message","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":3,)"
      R"("cache_creation_input_tokens":12304,"cache_read_input_tokens":0,"output_tokens":550}})");
  ASSERT_TRUE(reply);
  ASSERT_TRUE(reply->usage);
  const chat::Usage& usage = *reply->usage;
  // $3, $3.75 and $15 a million.
  const double cost =
      (static_cast<double>(usage.plain_input) * 3 + static_cast<double>(usage.cache_write) * 3.75 +
       static_cast<double>(usage.output()) * 15) /
      1e6;
  EXPECT_NEAR(cost, 0.054399, 1e-9);
}

TEST(AnthropicRequest, KnowsWhetherThereIsOnlyText) {
  const auto only_text = [](std::string_view block) {
    const std::string body =
        R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[)" +
        std::string(block) + "]}]}";
    return anthropic::decode_request(chat::Endpoint::Messages, body)->only_text;
  };
  EXPECT_TRUE(only_text(R"({"type":"text","text":"b","cache_control":{"type":"ephemeral"}})"));
  EXPECT_TRUE(only_text(R"({"type":"tool_use","id":"t","name":"f","input":{"a":[1]}})"));
  EXPECT_TRUE(only_text(
      R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"a"}})"));
  EXPECT_FALSE(only_text(R"({"type":"image","source":{"type":"url","url":"https://a/b.png"}})"));
  EXPECT_FALSE(
      only_text(R"({"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":)"
                R"({"type":"base64","media_type":"image/png","data":"AAAA"}}]})"));
}

}  // namespace
}  // namespace sluice
