#include "routing/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace sluice::routing {
namespace {

using testing::HasSubstr;

bool found(std::string_view pattern, std::string_view text) {
  const Result<Pattern> compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern << ": " << compiled.error().message();
  return compiled && compiled->found_in(text);
}

std::string refusal(std::string_view pattern) {
  const Result<Pattern> compiled = Pattern::compile(pattern);
  EXPECT_FALSE(compiled) << pattern;
  return compiled ? "" : compiled.error().message();
}

struct Case {
  std::string_view pattern;
  std::string_view text;
  bool expected;
};

TEST(Pattern, AgreesWithJavaScriptOnWhatItKnows) {
  const Case cases[] = {
      {"", "", true},
      {"", "abc", true},
      {"b", "abc", true},
      {"B", "abc", false},
      {"^b", "abc", false},
      {"^abc$", "abc", true},
      {"^ab$", "abc", false},
      {"$", "abc", true},
      {"a.c", "abc", true},
      {"a.c", "a\nc", false},
      {"^a.c$",
       "a\xc3\xa9"
       "c",
       true},
      {"^[\xc3\xa0-\xc3\xbf]+$", "\xc3\xa9\xc3\xa8", true},
      {"ab*c", "ac", true},
      {"ab*c", "abbbc", true},
      {"ab+c", "ac", false},
      {"ab+c", "abbc", true},
      {"^ab?c$", "abbc", false},
      {"^ab?c$", "ac", true},
      {"^(ab|cd)+$", "abcdab", true},
      {"^(ab|cd)+$", "abc", false},
      {"^(a|b|)$", "", true},
      {"^(?:eu|us)-(west|east)-\\d$", "eu-west-1", true},
      {"^(?:eu|us)-(west|east)-\\d$", "eu-north-1", false},
      {"[abc]", "xyzc", true},
      {"^[^abc]+$", "xyz", true},
      {"^[^abc]+$", "xyc", false},
      {"^[a-c-]+$", "a-b", true},
      {"^[\\d.]+$", "10.25", true},
      {"^[\\]\\\\]+$", "]\\", true},
      {"^[^\\s]+$", "a b", false},
      {"\\w+@\\w+\\.com$", "me.you@here.com", true},
      {"\\w+@\\w+\\.com$", "me@here_com", false},
      {"^\\W\\S\\D$", "-xy", true},
      {"^\\W\\S\\D$", "-x1", false},
      {"^[\\D]$", "1", false},
      {"\\$\\{x\\}", "${x}", true},
      {"a]}", "a]}", true},
      {"a\\tb\\nc\\r", "a\tb\nc\r", true},
      {"^a+?b??$", "aaa", true},
      {"x*", "", true},
      {"(a*)*", "b", true},
      {"^(a*)*$", "b", false},
      {"^(a?|b+)*c$", "abbabc", true},
      {"a|^b", "cb", false},
      {"a|^b", "bc", true},
      {".", "\xff", true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(found(c.pattern, c.text), c.expected)
        << "/" << c.pattern << "/ on '" << c.text << "'";
  }
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(refusal("a{2}"), HasSubstr("counted repetition"));
  EXPECT_THAT(refusal("\\bword\\b"), HasSubstr("\\b is not known"));
  EXPECT_THAT(refusal("(a)\\1"), HasSubstr("\\1 is not known"));
  EXPECT_THAT(refusal("(?=a)"), HasSubstr("only (?: is known"));
  EXPECT_THAT(refusal("(?i)a"), HasSubstr("only (?: is known"));
  EXPECT_THAT(refusal("[\\b]"), HasSubstr("\\b is not known"));
}

TEST(Pattern, RefusesWhatIsBrokenAndSaysWhere) {
  EXPECT_EQ(refusal("ab(c"), "'(' without ')' (at byte 2 of the pattern)");
  EXPECT_EQ(refusal("ab)c"), "')' without '(' (at byte 2 of the pattern)");
  EXPECT_EQ(refusal("x[ab"), "'[' without ']' (at byte 1 of the pattern)");
  EXPECT_EQ(refusal("[]"), "an empty [ ] (at byte 0 of the pattern)");
  EXPECT_EQ(refusal("[z-a]"), "a range that ends before it begins (at byte 1 of the pattern)");
  EXPECT_EQ(refusal("[\\d-x]"), "a range from more than one character (at byte 1 of the pattern)");
  EXPECT_EQ(refusal("*a"), "nothing to repeat (at byte 0 of the pattern)");
  EXPECT_EQ(refusal("a**"), "nothing to repeat (at byte 2 of the pattern)");
  EXPECT_EQ(refusal("a\\"), "a lone backslash (at byte 1 of the pattern)");
  EXPECT_EQ(refusal("[a\\"), "a lone backslash (at byte 2 of the pattern)");
}

TEST(Pattern, ItsSizeIsBounded) {
  EXPECT_TRUE(Pattern::compile(std::string(Pattern::kMaxLength - 1, 'a')));
  EXPECT_THAT(refusal(std::string(Pattern::kMaxLength + 1, 'a')), HasSubstr("longer than"));
  std::string large;
  for (int i = 0; i < 200; ++i) large += "a*";
  EXPECT_THAT(refusal(large), HasSubstr("too large"));
  EXPECT_TRUE(found("a", std::string(Pattern::kMaxText, 'a')));
  EXPECT_FALSE(found("a", std::string(Pattern::kMaxText + 1, 'a')));
}

// Backtracking takes two to the power of the text's length for these.
TEST(Pattern, TakesTimeInProportionToTheText) {
  const std::string text = std::string(4096, 'a') + "!";
  EXPECT_FALSE(found("^(a+)+$", text));
  EXPECT_FALSE(found("^(a|aa)+$", text));
  EXPECT_FALSE(found("(a?a?a?a?a?a?a?a?)*b", text));
}

}  // namespace
}  // namespace sluice::routing
