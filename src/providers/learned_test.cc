#include "providers/learned.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

TEST(Learned, TR_2_ALessonIsKeptForItsModelAlone) {
  LearnedFields fields;
  EXPECT_FALSE(fields.any());
  EXPECT_TRUE(fields.learn("a", {.reject = "max_tokens", .use = "max_completion_tokens"}));
  EXPECT_EQ(fields.of("a").old_max_tokens, false);
  EXPECT_FALSE(fields.of("b").old_max_tokens.has_value());
}

TEST(Learned, ALessonThatChangesNothingIsNoReasonToAskAgain) {
  LearnedFields fields;
  EXPECT_TRUE(fields.learn("a", {.reject = "temperature", .use = ""}));
  EXPECT_FALSE(fields.learn("a", {.reject = "top_p", .use = ""}));
  EXPECT_FALSE(fields.learn("a", {.reject = "top_k", .use = ""}));
}

TEST(Learned, AModelThatWantsNeitherNameIsNotAskedInCircles) {
  LearnedFields fields;
  EXPECT_TRUE(fields.learn("a", {.reject = "max_tokens", .use = ""}));
  EXPECT_FALSE(fields.learn("a", {.reject = "max_completion_tokens", .use = ""}));
}

}  // namespace
}  // namespace sluice::providers
