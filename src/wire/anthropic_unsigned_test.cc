#include <gtest/gtest.h>
#include <string>

#include "wire/anthropic.h"

namespace sluice {
namespace {

constexpr std::string_view kUnsigned = R"({"type":"thinking","thinking":"hm","signature":""})";
constexpr std::string_view kSigned = R"({"type":"thinking","thinking":"hm","signature":"Eq=="})";
constexpr std::string_view kText = R"({"type":"text","text":"\u00fc","cache_control":null})";

std::string body_of(const std::string& content) {
  return R"({"model":"m","messages":[{"role":"user","content":"a"},{"content":)" + content +
         R"(,"role":"assistant","x":1.0},{"role":"user","content":"b"}],"max_tokens":5})";
}

std::string list(std::initializer_list<std::string_view> blocks) {
  std::string out = "[";
  for (const std::string_view block : blocks) out.append(out.size() > 1 ? "," : "").append(block);
  return out + "]";
}

TEST(AnthropicUnsigned, TR_8_ThoughtsThatNobodySignedGoAndAllElseStaysByteForByte) {
  const std::string body = body_of(list({kUnsigned, kSigned, kText, kUnsigned}));
  EXPECT_TRUE(anthropic::may_hold_unsigned_thoughts(body));
  EXPECT_EQ(anthropic::without_unsigned_thoughts(body), body_of(list({kSigned, kText})));
}

TEST(AnthropicUnsigned, TR_8_AMessageOfNothingElseGoesWithThem) {
  EXPECT_EQ(anthropic::without_unsigned_thoughts(body_of(list({kUnsigned}))),
            R"({"model":"m","messages":[{"role":"user","content":"a"},)"
            R"({"role":"user","content":"b"}],"max_tokens":5})");
}

TEST(AnthropicUnsigned, ABodyWithoutThemIsNotLookedAtTwice) {
  EXPECT_FALSE(anthropic::may_hold_unsigned_thoughts(body_of(list({kSigned, kText}))));
  EXPECT_FALSE(anthropic::may_hold_unsigned_thoughts(R"({"signature")"));
  EXPECT_TRUE(
      anthropic::may_hold_unsigned_thoughts("{\"signature\": \"x\", \"signature\" :\n\"\"}"));
}

TEST(AnthropicUnsigned, WordsThatLookLikeOneAreLeftAlone) {
  const std::string body =
      body_of(R"([{"type":"tool_use","input":{"type":"thinking","signature":""}}])");
  EXPECT_TRUE(anthropic::may_hold_unsigned_thoughts(body));
  EXPECT_EQ(anthropic::without_unsigned_thoughts(body), body);
}

}  // namespace
}  // namespace sluice
