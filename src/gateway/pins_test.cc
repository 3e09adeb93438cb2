#include "gateway/pins.h"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

TEST(Pins, AG_5_AnAnswerBelongsToTheTargetThatMadeIt) {
  Pins pins;
  pins.remember("resp_1", {.target = "openai/gpt-5", .key = "#1"});
  const Maker later{.target = "eu/gpt-5", .key = "#2"};
  pins.remember("resp_1", later);
  EXPECT_EQ(pins.find("resp_1"), later);
  EXPECT_EQ(pins.find("resp_2"), std::nullopt);
  pins.forget("resp_1");
  EXPECT_EQ(pins.find("resp_1"), std::nullopt);
}

TEST(Pins, TheOldestAreForgottenFirst) {
  Pins pins(2);
  for (const auto* id : {"a", "b", "c"}) pins.remember(id, {.target = "t", .key = ""});
  EXPECT_EQ(pins.find("a"), std::nullopt);
  EXPECT_TRUE(pins.find("b"));
  EXPECT_TRUE(pins.find("c"));
}

}  // namespace
}  // namespace sluice::gateway
