#include "wire/json_edit.h"

#include <gtest/gtest.h>

namespace sluice::json {
namespace {

TEST(JsonEdit, FindsAMemberWhateverStandsAroundIt) {
  EXPECT_EQ(member_of(R"( {"a": {"b": 1}, "b" : [2, 3] , "c":4})", "b"), "[2, 3]");
  EXPECT_EQ(member_of(R"({"a":1,"\u0061":2})", "a"), "2") << "escapes are read, the last counts";
  EXPECT_EQ(member_of(R"({"a":1})", "b"), "");
  EXPECT_EQ(member_of("[1]", "a"), "");
}

TEST(JsonEdit, RenamesAMemberAndLeavesTheValuesAlone) {
  EXPECT_EQ(renamed(R"({"x":1.50,"max_tokens":5,"y":"\u00e9"})", "max_tokens", "limit"),
            R"({"x":1.50,"limit":5,"y":"\u00e9"})");
  EXPECT_EQ(renamed(R"({"a":1,"b":2})", "a", "b"), R"({"b":1})");
  EXPECT_EQ(renamed(R"({"a":1})", "b", "c"), std::nullopt);
}

TEST(JsonEdit, TakesAMemberAway) {
  EXPECT_EQ(renamed(R"({"a":1,"b":{"a":2}})", "a", ""), R"({"b":{"a":2}})");
  EXPECT_EQ(renamed(R"({"a":1})", "a", ""), "{}");
}

TEST(JsonEdit, AddsAMemberInFront) {
  EXPECT_EQ(with_member(R"({"b":2})", "a", "1"), R"({"a":1,"b":2})");
  EXPECT_EQ(with_member("{ }", "a", "1"), R"({"a":1 })");
}

}  // namespace
}  // namespace sluice::json
