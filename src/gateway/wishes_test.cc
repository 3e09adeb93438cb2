#include "gateway/wishes.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

// What the wishes are after one header; the error's message if it was refused.
std::string refused(std::string_view name, std::string_view value, Wishes* wishes = nullptr) {
  Wishes own;
  const Result<void> read = read_wish({name, value}, wishes != nullptr ? *wishes : own);
  return read ? "" : read.error().message();
}

TEST(Wishes, AreReadFromTheirHeadersInAnyCase) {
  Wishes wishes;
  EXPECT_EQ(refused("X-Sluice-Task", "chat", &wishes), "");
  EXPECT_EQ(refused("x-sluice-data", "restricted", &wishes), "");
  EXPECT_EQ(refused("x-sluice-fallback", "off", &wishes), "");
  EXPECT_EQ(refused("x-sluice-cost", "on", &wishes), "");
  EXPECT_EQ(refused("x-sluice-timeout", "1.5", &wishes), "");
  EXPECT_EQ(wishes.task, "chat");
  EXPECT_TRUE(wishes.restricted);
  EXPECT_FALSE(wishes.fallback);
  EXPECT_TRUE(wishes.cost);
  EXPECT_EQ(wishes.timeout, 1500 * kMillisecond);
}

TEST(Wishes, WhatCannotBeMeantIsRefusedWithWhatTheFieldTakes) {
  EXPECT_EQ(refused("x-sluice-data", "secret"),
            "the header x-sluice-data takes restricted or open");
  EXPECT_NE(refused("x-sluice-fallback", "no"), "");
  for (const auto* bad : {"", "0", "-1", "soon", "1e9", "5s"})
    EXPECT_NE(refused("x-sluice-timeout", bad), "") << bad;
}

TEST(Wishes, OtherFieldsAreNoWishes) {
  EXPECT_EQ(refused("x-sluice", "x"), "");
  EXPECT_EQ(refused("x-sluice-else", "x"), "");
  EXPECT_EQ(refused("accept", "x"), "");
}

}  // namespace
}  // namespace sluice::gateway
