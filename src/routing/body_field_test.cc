#include "routing/body_field.h"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using Kind = Value::Kind;

constexpr std::string_view kBody =
    R"({"model": "gpt-5", "n": -2.5e1, "stream": true, "stop": null, "messages": [{"n": 7}],)"
    R"( "esc\u0061pe": "a\"b", "metadata": {"n": 8}, "n": 9})";

Value field(std::string_view name) {
  static std::string scratch;
  return body_field(kBody, name, scratch);
}

TEST(BodyField, PrimitivesAreFoundWithTheirTypes) {
  EXPECT_EQ(field("model").text, "gpt-5");
  EXPECT_EQ(field("n").number, -25);
  EXPECT_EQ(field("stream").kind, Kind::Bool);
  EXPECT_TRUE(field("stream").boolean);
  EXPECT_EQ(field("stop").kind, Kind::Null);
}

TEST(BodyField, EscapesStandForTheirCharacters) {
  EXPECT_EQ(field("escape").text, "a\"b");
}

TEST(BodyField, WhatIsNoPrimitiveOrNotThereIsMissing) {
  EXPECT_EQ(field("messages").kind, Kind::Missing);
  EXPECT_EQ(field("metadata").kind, Kind::Missing);
  EXPECT_EQ(field("none").kind, Kind::Missing);
}

TEST(BodyField, BrokenTextGivesNothingBehindTheBreak) {
  std::string scratch;
  for (size_t end = 0; end < kBody.size(); ++end) {
    const Value value = body_field(kBody.substr(0, end), "n", scratch);
    EXPECT_TRUE(value.kind == Kind::Missing || value.number <= -2) << end;
  }
  EXPECT_EQ(body_field("[1]", "n", scratch).kind, Kind::Missing);
  EXPECT_EQ(body_field(R"({"a": x, "n": 1})", "n", scratch).kind, Kind::Missing);
}

}  // namespace
}  // namespace sluice::routing
