#include "providers/lab_text.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

TEST(LabText, CountsFourBytesOfAWordWithTheBlankBeforeIt) {
  EXPECT_EQ(lab_count_tokens(""), 0);
  EXPECT_EQ(lab_count_tokens("word"), 1);
  EXPECT_EQ(lab_count_tokens("words"), 2);
  EXPECT_EQ(lab_count_tokens("one two  six"), 3);
  EXPECT_EQ(lab_count_tokens("   "), 1);
}

TEST(LabText, NeverCutsInsideACharacter) {
  const std::string_view text = "abcd\u00e9f \u2014\u2014\u2014 \U0001F600x";
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = lab_token_length(rest);
    ASSERT_GT(length, 0U);
    rest.remove_prefix(length);
    if (!rest.empty()) {
      EXPECT_NE(static_cast<unsigned char>(rest[0]) & 0xC0U, 0x80U);
    }
  }
}

TEST(LabText, ProseHasExactlyTheTokensAskedFor) {
  for (const int64_t tokens : {0, 1, 2, 7, 60, 1000}) {
    LabRandom random(static_cast<uint64_t>(tokens) + 5);
    EXPECT_EQ(lab_count_tokens(lab_prose(random, tokens)), tokens);
  }
}

TEST(LabText, SameSeedSameProseOtherSeedOtherProse) {
  LabRandom a(1);
  LabRandom b(1);
  LabRandom c(2);
  const std::string first = lab_prose(a, 40);
  EXPECT_EQ(first, lab_prose(b, 40));
  EXPECT_NE(first, lab_prose(c, 40));
}

TEST(LabText, FirstTokensIsAPrefixWithThatManyTokens) {
  const std::string_view text = "Birch and cedar grow here.";
  EXPECT_EQ(lab_count_tokens(lab_first_tokens(text, 3)), 3);
  EXPECT_EQ(lab_first_tokens(text, 1000), text);
}

}  // namespace
}  // namespace sluice::providers
