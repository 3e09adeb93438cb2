#include "providers/rate_limit.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

constexpr int64_t kNow = 784'111'777'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT

using Fields = std::initializer_list<net::Header>;

net::Headers headers(Fields fields) {
  net::Headers all;
  for (const net::Header& field : fields) all.add(field.name, field.value);
  return all;
}

std::optional<Nanos> retry_after(std::string_view name, std::string_view value) {
  return parse_retry_after(headers({{name, value}}), kNow);
}

TEST(RetryAfter, RET_1_IsSecondsMillisecondsOrADate) {
  EXPECT_EQ(retry_after("Retry-After", "2"), 2 * kSecond);
  EXPECT_EQ(retry_after("Retry-After", "0.5"), 500 * kMillisecond);
  EXPECT_EQ(retry_after("retry-after-ms", "250"), 250 * kMillisecond);
  EXPECT_EQ(retry_after("x-ms-retry-after-ms", "250"), 250 * kMillisecond);
  EXPECT_EQ(retry_after("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"), 30 * kSecond);
}

TEST(RetryAfter, ThePastIsNowAndGarbageIsNothing) {
  EXPECT_EQ(retry_after("Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT"), 0);
  EXPECT_EQ(retry_after("Retry-After", "-5"), 0);
  for (const char* garbage : {"", "soon", "1e", "12 seconds", "Sun, 06 Nov", "nan"}) {
    EXPECT_EQ(retry_after("Retry-After", garbage), std::nullopt) << garbage;
  }
}

TEST(RetryAfter, AHugeHintIsBoundedNotWrapped) {
  EXPECT_EQ(retry_after("Retry-After", "1e300"), kLongestHint);
  EXPECT_EQ(retry_after("Retry-After", "inf"), kLongestHint);
}

TEST(RetryAfter, AGarbledFieldDoesNotHideAGoodOne) {
  EXPECT_EQ(parse_retry_after(headers({{"retry-after-ms", "soon"}, {"retry-after", "3"}}), kNow),
            3 * kSecond);
}

TEST(Duration, IsNumbersWithUnits) {
  EXPECT_EQ(parse_duration("1s"), kSecond);
  EXPECT_EQ(parse_duration("6m0s"), 360 * kSecond);
  EXPECT_EQ(parse_duration("120ms"), 120 * kMillisecond);
  EXPECT_EQ(parse_duration("1h2m3.5s"), 3'723'500 * kMillisecond);
  EXPECT_EQ(parse_duration("7.66s"), 7660 * kMillisecond);
  for (const char* garbage : {"", "s", "1", "1x", "1s2", "-1s", "1.2.3s", "ms"}) {
    EXPECT_EQ(parse_duration(garbage), std::nullopt) << garbage;
  }
}

TEST(Rfc3339, HasFractionsAndOffsets) {
  EXPECT_EQ(parse_rfc3339("1994-11-06T08:49:37Z"), kNow);
  EXPECT_EQ(parse_rfc3339("1994-11-06T08:49:37.250Z"), kNow + 250'000);
  EXPECT_EQ(parse_rfc3339("1994-11-06T09:49:37+01:00"), kNow);
  EXPECT_EQ(parse_rfc3339("1994-11-06T03:19:37-05:30"), kNow);
  for (const char* garbage : {"", "1994-11-06", "1994-11-06T08:49:37", "1994-11-06T08:49:37Zulu"}) {
    EXPECT_EQ(parse_rfc3339(garbage), std::nullopt) << garbage;
  }
}

TEST(LimitReset, RET_14_IsReadFromEveryProvidersFields) {
  const std::pair<net::Header, Nanos> rows[] = {
      {{"x-ratelimit-reset-requests", "6m0s"}, 360 * kSecond},
      {{"x-ratelimit-reset-tokens", "120ms"}, 120 * kMillisecond},
      {{"anthropic-ratelimit-input-tokens-reset", "1994-11-06T08:50:37Z"}, 60 * kSecond},
      {{"x-ratelimit-reset", "784111807000"}, 30 * kSecond},  // OpenRouter: milliseconds
      {{"x-ratelimit-reset", "1784111777"}, kLongestHint},
      {{"x-ratelimit-reset", "45"}, 45 * kSecond},
  };
  for (const auto& [field, pause] : rows) {
    EXPECT_EQ(parse_limit_reset(headers({field}), kNow), pause) << field.name << field.value;
  }
}

TEST(LimitReset, OnlyLimitsThatWereHitCount) {
  EXPECT_EQ(parse_limit_reset(headers({{"x-ratelimit-remaining-requests", "10"},
                                       {"x-ratelimit-reset-requests", "8h0m0s"},
                                       {"x-ratelimit-remaining-tokens", "0"},
                                       {"x-ratelimit-reset-tokens", "2s"}}),
                              kNow),
            2 * kSecond);
}

TEST(LimitReset, NoFieldsAndGarbageAreNothing) {
  EXPECT_EQ(parse_limit_reset({}, kNow), std::nullopt);
  EXPECT_EQ(parse_limit_reset(headers({{"x-ratelimit-reset", "tomorrow"}}), kNow), std::nullopt);
}

TEST(SpokenReset, IsFoundInTheMessage) {
  EXPECT_EQ(parse_spoken_reset("Rate limit reached. Please try again in 6m0s. Visit ...", kNow),
            360 * kSecond);
  EXPECT_EQ(parse_spoken_reset("Please retry in 34.5s.", kNow), 34'500 * kMillisecond);
  EXPECT_EQ(parse_spoken_reset("Please try again in 20 seconds", kNow), 20 * kSecond);
  EXPECT_EQ(parse_spoken_reset("You will regain access on 1994-11-07 at 00:00 UTC.", kNow),
            54'623 * kSecond);
  EXPECT_EQ(parse_spoken_reset("Please try again in a while", kNow), std::nullopt);
  EXPECT_EQ(parse_spoken_reset("", kNow), std::nullopt);
}

}  // namespace
}  // namespace sluice::providers
