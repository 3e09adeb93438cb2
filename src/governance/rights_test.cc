#include "governance/rights.h"

#include <gtest/gtest.h>

namespace sluice::governance {
namespace {

TEST(Rights, AStarStandsForAnyCharacters) {
  EXPECT_TRUE(matches("gpt-5*", "gpt-5"));
  EXPECT_TRUE(matches("gpt-5*", "gpt-5-mini"));
  EXPECT_TRUE(matches("*mini*", "gpt-5-mini-2025"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches("gpt-5*", "xgpt-5"));
  EXPECT_FALSE(matches("a*b*c", "a-b-b-d"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("gpt-5", "gpt-5-mini"));
}

TEST(Rights, ManyStarsDoNotTakeForever) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(5000, 'a')));
}

TEST(Rights, WhatIsNotListedIsForbiddenWhereAListIsGiven) {
  const std::vector<std::string> none;
  const std::vector<std::string> chat = {"chat"};
  EXPECT_TRUE(allows(none, "embeddings"));
  EXPECT_TRUE(allows(chat, "chat"));
  EXPECT_FALSE(allows(chat, "embeddings"));
}

TEST(Rights, AModelIsNamedAloneOrBehindItsProvider) {
  Rights rights;
  rights.models = {"openai/gpt-5*", "claude-haiku-4-5"};
  EXPECT_TRUE(allows_model(rights, "openai", "gpt-5-mini"));
  EXPECT_FALSE(allows_model(rights, "azure", "gpt-5-mini"));
  EXPECT_TRUE(allows_model(rights, "anthropic", "claude-haiku-4-5"));
  EXPECT_TRUE(allows_model(rights, "portkey", "claude-haiku-4-5"));
  rights.providers = {"anthropic"};
  EXPECT_FALSE(allows_model(rights, "portkey", "claude-haiku-4-5"));
  EXPECT_FALSE(allows_model(rights, "openai", "gpt-5-mini"));
}

struct AddressCase {
  const char* range;
  const char* inside;
  const char* outside;
};
class AddressRanges : public testing::TestWithParam<AddressCase> {};

TEST_P(AddressRanges, HoldTheirOwnAndNoOther) {
  const Result<AddressRange> range = AddressRange::parse(GetParam().range);
  ASSERT_TRUE(range);
  EXPECT_TRUE(range->holds(GetParam().inside));
  EXPECT_FALSE(range->holds(GetParam().outside));
}

INSTANTIATE_TEST_SUITE_P(
    Every, AddressRanges,
    testing::Values(AddressCase{"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
                    AddressCase{"192.168.1.128/25", "192.168.1.200", "192.168.1.127"},
                    AddressCase{"192.0.2.7", "192.0.2.7", "192.0.2.8"},
                    AddressCase{"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
                    AddressCase{"10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"},
                    AddressCase{"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
                    AddressCase{"::1", "::1", "::2"},
                    AddressCase{"10.0.0.0/8", "10.0.0.1", "no address"}));

TEST(AddressRanges, OtherTextIsNoRange) {
  for (const char* text : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129",
                           "example.com", "10.0.0.0/8x", "[::1]"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::governance
