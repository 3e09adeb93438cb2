#include "providers/model_traits.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

TEST(ModelTraits, NamesAreUnderstoodWithAndWithoutWhoServesThem) {
  for (const auto* name : {"gpt-5-mini", "openai/gpt-5-mini", "@prod/gpt-5-mini-2025-08-07",
                           "openai-gpt-5-mini", "GPT-5"}) {
    EXPECT_TRUE(traits_of(name).reasons) << name;
    EXPECT_TRUE(traits_of(name).fixed_sampling) << name;
  }
  EXPECT_FALSE(traits_of("gpt-5-chat-latest").reasons);
}

TEST(ModelTraits, TR_2_OldModelsKnowOnlyTheOldOutputLimit) {
  EXPECT_FALSE(traits_of("gpt-3.5-turbo").completion_tokens);
  EXPECT_TRUE(traits_of("gpt-4o").completion_tokens);
  EXPECT_TRUE(traits_of("o3-mini").completion_tokens);
}

TEST(ModelTraits, ClaudesAfterOpus46TakeNoSampling) {
  for (const auto* name : {"claude-3-7-sonnet", "claude-sonnet-4-5-20250929", "claude-opus-4-6",
                           "anthropic/claude-opus-4.6"})
    EXPECT_FALSE(traits_of(name).fixed_sampling) << name;
  for (const auto* name : {"claude-opus-4-7", "claude-sonnet-5-5", "claude-haiku-5-5"})
    EXPECT_TRUE(traits_of(name).fixed_sampling) << name;
}

TEST(ModelTraits, AClaudeThatNobodyListedIsTakenForANewOne) {
  EXPECT_TRUE(traits_of("claude-next-9").effort);
  EXPECT_TRUE(traits_of("claude-next-9").fixed_sampling);
}

TEST(ModelTraits, AnUnknownModelIsPlain) {
  EXPECT_FALSE(traits_of("llama-3.3-70b").reasons);
  EXPECT_FALSE(traits_of("llama-3.3-70b").fixed_sampling);
  EXPECT_TRUE(traits_of("qwen3-235b-thinking").reasons);
}

}  // namespace
}  // namespace sluice::providers
