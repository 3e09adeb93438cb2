#include "providers/lab_prompt_cache.h"

#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

using Keep = LabRequest::Keep;
using Part = LabRequest::Part;

// Parts of ten tokens each, told apart by their hashes.
std::vector<Part> prompt(std::initializer_list<Keep> keeps) {
  std::vector<Part> parts;
  for (const Keep keep : keeps) parts.push_back({parts.size() + 1, 10, keep});
  return parts;
}

TEST(LabPromptCache, WritesWhatIsMarkedAndReadsItAgain) {
  LabPromptCache cache;
  const auto parts = prompt({Keep::OneHour, Keep::FiveMinutes, Keep::No});
  const LabCacheUse first = cache.use(parts, 0, 0);
  EXPECT_EQ(first.write_1h, 10);
  EXPECT_EQ(first.write, 10);
  EXPECT_EQ(first.read, 0);
  const LabCacheUse again = cache.use(parts, 0, 1);
  EXPECT_EQ(again.read, 20);
  EXPECT_EQ(again.write + again.write_1h, 0);
}

TEST(LabPromptCache, ALongerPromptReadsItsBeginningAndWritesTheRest) {
  LabPromptCache cache;
  cache.use(prompt({Keep::No, Keep::FiveMinutes}), 0, 0);
  const LabCacheUse longer =
      cache.use(prompt({Keep::No, Keep::No, Keep::No, Keep::FiveMinutes}), 0, 1);
  EXPECT_EQ(longer.read, 20);
  EXPECT_EQ(longer.write, 20);
}

TEST(LabPromptCache, ForgetsAfterItsTimeUnlessItIsRead) {
  LabPromptCache cache;
  const auto parts = prompt({Keep::FiveMinutes});
  cache.use(parts, 0, 0);
  EXPECT_EQ(cache.use(parts, 0, 299 * kSecond).read, 10);
  EXPECT_EQ(cache.use(parts, 0, 598 * kSecond).read, 10);
  EXPECT_EQ(cache.use(parts, 0, 899 * kSecond).write, 10);
}

TEST(LabPromptCache, NoMarkNoCacheAndNoSharingBetweenOwners) {
  LabPromptCache cache;
  cache.use(prompt({Keep::FiveMinutes}), 1, 0);
  EXPECT_EQ(cache.use(prompt({Keep::No}), 1, 0).read, 0);
  EXPECT_EQ(cache.use(prompt({Keep::FiveMinutes}), 2, 0).read, 0);
}

TEST(LabPromptCache, LooksBackTwentyPartsOnly) {
  LabPromptCache cache;
  cache.use(prompt({Keep::FiveMinutes}), 0, 0);
  std::vector<Part> parts = prompt({Keep::No});
  while (parts.size() < 30) parts.push_back({parts.size() + 1, 10, Keep::No});
  parts.back().keep = Keep::FiveMinutes;
  EXPECT_EQ(cache.use(parts, 0, 1).read, 0);
}

}  // namespace
}  // namespace sluice::providers
