#include "providers/failure.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

constexpr int64_t kNow = 784'111'777'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT

UpstreamFailure classify_plain(int status, std::string_view body = "",
                               std::initializer_list<net::Header> fields = {},
                               Kind kind = Kind::OpenAi) {
  net::Headers headers;
  for (const net::Header& field : fields) headers.add(field.name, field.value);
  return classify(kind, status, headers, body, kNow);
}

TEST(Failure, StatusesMeanWhatTheTableSays) {
  const std::pair<int, Outcome> rows[] = {
      {301, Outcome::UpstreamBadReply},   {400, Outcome::UpstreamRejected},
      {401, Outcome::UpstreamAuth},       {402, Outcome::UpstreamAuth},
      {403, Outcome::UpstreamAuth},       {404, Outcome::UpstreamRejected},
      {408, Outcome::FirstByteTimeout},   {409, Outcome::UpstreamError},
      {413, Outcome::UpstreamRejected},   {422, Outcome::UpstreamRejected},
      {429, Outcome::UpstreamRateLimit},  {500, Outcome::UpstreamError},
      {502, Outcome::UpstreamError},      {503, Outcome::UpstreamOverloaded},
      {529, Outcome::UpstreamOverloaded},
  };
  for (const auto& [status, outcome] : rows) {
    EXPECT_EQ(classify_plain(status).outcome, outcome) << status;
  }
}

TEST(Failure, RET_14_AnUsedUpQuotaLastsAndARateLimitDoesNot) {
  const UpstreamFailure quota = classify_plain(
      429, R"({"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}})");
  EXPECT_EQ(quota.outcome, Outcome::UpstreamRateLimit);
  EXPECT_TRUE(quota.lasting && quota.blames_key);
  const UpstreamFailure limit = classify_plain(
      429, R"({"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}})");
  EXPECT_FALSE(limit.lasting || limit.blames_key);
}

TEST(Failure, RET_14_AQuotaThatIsBackInAMinuteIsARateLimit) {
  const UpstreamFailure soon = classify_plain(
      429,
      R"([{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"34s"}]}}])");
  EXPECT_FALSE(soon.lasting);
  EXPECT_EQ(soon.retry_after, 34 * kSecond);
}

TEST(Failure, RET_1_TheHeaderComesBeforeTheFieldsOfLimitsAndTheWords) {
  const std::string_view body =
      R"({"error":{"message":"Rate limit reached. Please try again in 7s.","code":"rate_limit_exceeded"}})";
  EXPECT_EQ(classify_plain(429, body, {{"retry-after", "3"}}).retry_after, 3 * kSecond);
  EXPECT_EQ(classify_plain(429, body).retry_after, 7 * kSecond);
  EXPECT_EQ(classify_plain(429, "", {{"x-ratelimit-reset-tokens", "2s"}}).retry_after, 2 * kSecond);
  EXPECT_EQ(classify_plain(500, "", {{"x-ratelimit-reset-tokens", "2s"}}).retry_after,
            std::nullopt);
}

TEST(Failure, RET_5_ARefusedKeyIsToBlameAndAFirewallsPageIsNot) {
  EXPECT_TRUE(classify_plain(401).blames_key);
  EXPECT_TRUE(classify_plain(403, R"({"error":{"message":"Not allowed."}})").blames_key);
  EXPECT_FALSE(classify_plain(403, "<html>blocked</html>").blames_key);
  EXPECT_FALSE(
      classify_plain(403, R"({"error":{"message":"No access to model `m`."}})").blames_key);
}

TEST(Failure, NoClientHasAKeyTakenOutByWhatItQuotes) {
  const UpstreamFailure echoed = classify_plain(
      400,
      R"({"error":{"message":"Unknown value: 'incorrect api key'. Supported values are a, b."}})");
  EXPECT_EQ(echoed.outcome, Outcome::UpstreamRejected);
  EXPECT_FALSE(echoed.blames_key);
  EXPECT_TRUE(classify_plain(400, R"({"error":"Incorrect API key provided: x."})").blames_key);
}

TEST(Failure, RET_4_AContentPolicyIsNoRefusalOfTheRequestAlone) {
  EXPECT_EQ(classify_plain(400, R"({"error":{"code":"content_filter","message":"m"}})").outcome,
            Outcome::ContentPolicy);
  EXPECT_EQ(classify_plain(446, R"({"hook_results":{}})", {}, Kind::Portkey).outcome,
            Outcome::ContentPolicy);
}

TEST(Failure, RET_3_AnOverflowHasItsNumbers) {
  const UpstreamFailure failure = classify_plain(
      400,
      R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})",
      {}, Kind::Anthropic);
  EXPECT_EQ(failure.outcome, Outcome::ContextOverflow);
  EXPECT_EQ(failure.overflow->tokens, 210000);
  EXPECT_EQ(failure.overflow->limit, 200000);
}

TEST(Failure, RET_3_AnOverflowWithoutNumbersHasNone) {
  const UpstreamFailure failure =
      classify_plain(400, R"({"error":{"code":"context_length_exceeded","message":"Too much."}})");
  EXPECT_EQ(failure.outcome, Outcome::ContextOverflow);
  ASSERT_TRUE(failure.overflow.has_value());
  EXPECT_EQ(failure.overflow->tokens, std::nullopt);
  EXPECT_EQ(failure.overflow->limit, std::nullopt);
}

TEST(Failure, TR_2_TheWantedFieldIsTold) {
  const UpstreamFailure failure = classify_plain(
      400,
      R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}})");
  ASSERT_TRUE(failure.wanted.has_value());
  EXPECT_EQ(failure.wanted->reject, "max_tokens");
  EXPECT_EQ(failure.wanted->use, "max_completion_tokens");
}

TEST(Failure, FB_10_AnErrorInsideA200IsClassifiedByWhatItSays) {
  const std::pair<std::string_view, Outcome> rows[] = {
      {R"({"error":{"code":429,"message":"m"}})", Outcome::UpstreamRateLimit},
      {R"({"error":{"code":"502","message":"m"}})", Outcome::UpstreamError},
      {R"({"error":{"type":"overloaded_error","message":"m"}})", Outcome::UpstreamOverloaded},
      {R"({"error":{"type":"invalid_request_error","message":"m"}})", Outcome::UpstreamRejected},
      {R"({"error":{"message":"m"}})", Outcome::UpstreamError},
      {R"({"choices":[{"error":{"code":429,"message":"m"}}]})", Outcome::UpstreamRateLimit},
      {R"({"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded"}}})",
       Outcome::UpstreamRateLimit},
      {"<html>maintenance</html>", Outcome::UpstreamBadReply},
      {"", Outcome::UpstreamBadReply},
      {"{}", Outcome::UpstreamBadReply},
      {R"({"error":{"message":"cut)", Outcome::UpstreamBadReply},
  };
  for (const auto& [body, outcome] : rows) {
    EXPECT_EQ(classify_plain(200, body).outcome, outcome) << body;
  }
}

TEST(Failure, KeepsTheUpstreamsOwnWordsAndTheirEnvelope) {
  const UpstreamFailure openai = classify_plain(
      400, R"({"error":{"message":"too long","type":"x","param":null,"code":null}})");
  EXPECT_EQ(openai.shape, ErrorShape::OpenAi);
  EXPECT_EQ(openai.message, "too long");
  EXPECT_EQ(
      classify_plain(529, R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})")
          .shape,
      ErrorShape::Anthropic);
  EXPECT_EQ(classify_plain(400, R"({"message":"m","code":"390400"})").shape, ErrorShape::Flat);
  EXPECT_EQ(classify_plain(502, "<html>Bad Gateway</html>").shape, ErrorShape::None);
  EXPECT_EQ(classify_plain(502, "upstream connect error").message, "upstream connect error");
}

TEST(Failure, APageForPeopleSaysNothingOfTheRequest) {
  EXPECT_EQ(classify_plain(404, "<!doctype html><title>404</title>").outcome,
            Outcome::UpstreamBadReply);
  EXPECT_EQ(classify_plain(503, "<html>busy</html>").outcome, Outcome::UpstreamOverloaded);
}

TEST(ErrorBody, EverySplitOfABodyIsReadWithoutAFault) {
  const std::string_view body =
      R"([{"error":{"message":"a \u00e9 b","code":400,"metadata":{"raw":"{\"error\":1}","error_type":"x"}}}])";
  for (size_t end = 0; end <= body.size(); ++end) {
    const ErrorBody read = read_error_body(body.substr(0, end));
    EXPECT_EQ(read.is_json, end == body.size()) << end;
  }
}

TEST(ErrorBody, DeepAndLongBodiesAreBounded) {
  EXPECT_EQ(read_error_body(std::string(100'000, '[')).shape, ErrorShape::None);
  const ErrorBody read =
      read_error_body(R"({"error":{"message":")" + std::string(100'000, 'x') + R"("}})");
  EXPECT_EQ(read.message.size(), 4096U);
  EXPECT_EQ(read_error_body(std::string(10'000, 'y')).message.size(), 300U);
}

TEST(ErrorBody, BytesThatAreNoTextAreNothing) {
  EXPECT_EQ(read_error_body("\xff\xfe{\"error\":1}").message, "");
}

}  // namespace
}  // namespace sluice::providers
