#include "providers/failure.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

constexpr int64_t kNow = 784111777'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT

net::Headers with(std::string_view name, std::string_view value) {
  net::Headers headers;
  headers.add(name, value);
  return headers;
}

TEST(Failure, StatusesMeanWhatTheTableSays) {
  const std::pair<int, Outcome> rows[] = {
      {301, Outcome::UpstreamBadReply},   {400, Outcome::UpstreamRejected},
      {401, Outcome::UpstreamAuth},       {403, Outcome::UpstreamAuth},
      {404, Outcome::UpstreamRejected},   {408, Outcome::FirstByteTimeout},
      {422, Outcome::UpstreamRejected},   {429, Outcome::UpstreamRateLimit},
      {500, Outcome::UpstreamError},      {502, Outcome::UpstreamError},
      {503, Outcome::UpstreamOverloaded}, {529, Outcome::UpstreamOverloaded},
  };
  for (const auto& [status, outcome] : rows) {
    EXPECT_EQ(classify(status, {}, "", kNow).outcome, outcome) << status;
  }
}

TEST(Failure, AnUsedUpQuotaLastsAndARateLimitDoesNot) {
  EXPECT_TRUE(
      classify(
          429, {},
          R"({"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}})",
          kNow)
          .lasting);
  EXPECT_FALSE(
      classify(429, {},
               R"({"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}})", kNow)
          .lasting);
}

TEST(Failure, KeepsTheUpstreamsOwnWords) {
  const UpstreamFailure failure = classify(
      400, {}, R"({"error":{"message":"too long","type":"x","param":null,"code":null}})", kNow);
  EXPECT_TRUE(failure.has_error_object);
  EXPECT_EQ(failure.message, "too long");
  EXPECT_FALSE(classify(502, {}, "<html>Bad Gateway</html>", kNow).has_error_object);
}

TEST(RetryAfter, IsSecondsMillisecondsOrADate) {
  EXPECT_EQ(parse_retry_after(with("Retry-After", "2"), kNow), 2 * kSecond);
  EXPECT_EQ(parse_retry_after(with("Retry-After", "0.5"), kNow), 500 * kMillisecond);
  EXPECT_EQ(parse_retry_after(with("retry-after-ms", "250"), kNow), 250 * kMillisecond);
  EXPECT_EQ(parse_retry_after(with("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"), kNow),
            30 * kSecond);
}

TEST(RetryAfter, ThePastIsNowAndGarbageIsNothing) {
  EXPECT_EQ(parse_retry_after(with("Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"), kNow), 0);
  EXPECT_EQ(parse_retry_after(with("Retry-After", "-5"), kNow), 0);
  for (const char* garbage : {"", "soon", "1e", "12 seconds", "Sun, 06 Nov", "nan"}) {
    EXPECT_EQ(parse_retry_after(with("Retry-After", garbage), kNow), std::nullopt) << garbage;
  }
}

TEST(RetryAfter, AHugeHintIsBoundedNotWrapped) {
  EXPECT_EQ(parse_retry_after(with("Retry-After", "1e300"), kNow), Nanos{365} * 86400 * kSecond);
}

}  // namespace
}  // namespace sluice::providers
