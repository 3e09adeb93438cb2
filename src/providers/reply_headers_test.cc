#include "providers/reply_headers.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

std::string passed(Kind kind, std::initializer_list<net::Header> fields) {
  net::Headers headers;
  for (const net::Header& field : fields) headers.add(field.name, field.value);
  std::string out;
  append_passed_headers(out, kind, headers, PassLimits::Yes);
  return out;
}

TEST(ReplyHeaders, NET_6_LimitsPassAndTheIdUnderANameOfItsOwn) {
  EXPECT_EQ(passed(Kind::OpenAi, {{"X-RateLimit-Remaining-Tokens", "9"},
                                  {"openai-processing-ms", "12"},
                                  {"retry-after", "3"},
                                  {"X-Request-Id", "req_up"},
                                  {"set-cookie", "a=b"},
                                  {"server", "x"}}),
            "X-RateLimit-Remaining-Tokens: 9\r\nopenai-processing-ms: 12\r\nretry-after: 3\r\n"
            "x-sluice-upstream-request-id: req_up\r\n");
}

TEST(ReplyHeaders, NET_6_EachKindHasItsOwnFields) {
  EXPECT_EQ(passed(Kind::Anthropic, {{"anthropic-ratelimit-tokens-reset", "t"},
                                     {"request-id", "req_a"},
                                     {"openai-version", "no"}}),
            "anthropic-ratelimit-tokens-reset: t\r\nx-sluice-upstream-request-id: req_a\r\n");
  EXPECT_EQ(passed(Kind::Portkey, {{"x-portkey-cache-status", "MISS"},
                                   {"x-portkey-provider", "openai"},
                                   {"x-portkey-api-key", "no"},
                                   {"openai-version", "2020-10-01"}}),
            "x-portkey-cache-status: MISS\r\nx-portkey-provider: openai\r\n"
            "openai-version: 2020-10-01\r\n");
  EXPECT_EQ(passed(Kind::OpenRouter, {{"X-Generation-Id", "gen-1"}}),
            "X-Generation-Id: gen-1\r\nx-sluice-upstream-request-id: gen-1\r\n");
  EXPECT_EQ(passed(Kind::Cortex, {{"X-Snowflake-Request-ID", "u-1"}, {"x-request-id", "x"}}),
            "x-sluice-upstream-request-id: u-1\r\n");
}

}  // namespace
}  // namespace sluice::providers
