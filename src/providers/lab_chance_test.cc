#include "providers/lab_chance.h"

#include <gtest/gtest.h>
#include <map>

namespace sluice::providers {
namespace {

std::vector<LabChance> chances(std::vector<std::string> texts) {
  auto read = parse_lab_chances(texts);
  EXPECT_TRUE(read) << (read ? "" : read.error().message());
  return read ? *std::move(read) : std::vector<LabChance>();
}

std::string refusal(std::vector<std::string> texts) {
  const auto read = parse_lab_chances(texts);
  return read ? std::string() : std::string(read.error().message());
}

std::map<std::string, int> draws(const std::vector<LabChance>& given, uint64_t seed, int requests) {
  std::map<std::string, int> counts;
  for (int i = 0; i < requests; ++i)
    ++counts[std::string(draw_lab_faults(given, seed, static_cast<uint64_t>(i)))];
  return counts;
}

TEST(LabChance, ReadsFaultsWithTheirShares) {
  const auto given = chances({"reset=5%", "tokens-9+status-503=0.25%"});
  ASSERT_EQ(given.size(), 2U);
  EXPECT_EQ(given[0].faults, "reset");
  EXPECT_EQ(given[0].per_million, 50'000U);
  EXPECT_EQ(given[1].faults, "tokens-9+status-503");
  EXPECT_EQ(given[1].per_million, 2'500U);
}

TEST(LabChance, StrikesEveryRequestWithoutAShare) {
  const auto given = chances({"silent"});
  EXPECT_EQ(draws(given, 1, 1000)["silent"], 1000);
}

TEST(LabChance, RefusesWhatItCannotRead) {
  EXPECT_NE(refusal({"no-such-fault=5%"}).find("no-such-fault"), std::string::npos);
  for (const char* share : {"", "5", "%", "-1%", "101%", "nan%", "5%%", "five%"})
    EXPECT_FALSE(refusal({std::string("reset=") + share}).empty()) << share;
  EXPECT_FALSE(refusal({"reset=60%", "silent=50%"}).empty());
  EXPECT_TRUE(refusal({"reset=60%", "silent=40%"}).empty());
}

TEST(LabChance, StrikesAboutTheShareAskedFor) {
  auto counts = draws(chances({"reset=5%", "silent=1%"}), 7, 100'000);
  EXPECT_NEAR(counts["reset"], 5000, 300);
  EXPECT_NEAR(counts["silent"], 1000, 150);
  EXPECT_NEAR(counts[""], 94'000, 400);
}

TEST(LabChance, TheSeedDecidesWhichOnes) {
  const auto given = chances({"reset=50%"});
  const auto pattern = [&given](uint64_t seed) {
    std::string text;
    for (uint64_t i = 0; i < 64; ++i) text += draw_lab_faults(given, seed, i).empty() ? '.' : 'x';
    return text;
  };
  EXPECT_EQ(pattern(3), pattern(3));
  EXPECT_NE(pattern(3), pattern(4));
  EXPECT_NE(pattern(3), pattern(3 + 1).substr(1) + ".");
}

}  // namespace
}  // namespace sluice::providers
