#include "base/nearest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EditDistance, CountsSmallSlips) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("timeout", "timeout"), 0u);
  EXPECT_EQ(edit_distance("timeuot", "timeout"), 1u);
  EXPECT_EQ(edit_distance("Timeout", "timeouts"), 1u);
}

TEST(Nearest, NamesTheClosestFirstAndLeavesOutStrangers) {
  const std::vector<std::string> known{"gpt-5", "gpt-5-mini", "claude-opus", "gpt-4o"};
  EXPECT_THAT(nearest("gpt-5-mni", known), ElementsAre("gpt-5-mini", "gpt-5"));
  EXPECT_THAT(nearest("mistral", known), IsEmpty());
}

TEST(Nearest, IsNotDrawnIntoComparingHugeNames) {
  const std::vector<std::string> known{"gpt-5"};
  EXPECT_THAT(nearest(std::string(100'000, 'g'), known), IsEmpty());
}

}  // namespace
}  // namespace sluice
