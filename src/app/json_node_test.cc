#include "app/json_node.h"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

std::string again(std::string_view text) {
  const auto node = node_of_json(text);
  return node ? compact_json(*node) : "refused: " + node.error().message();
}

TEST(JsonNode, ComesBackAsItWasWritten) {
  for (const char* text :
       {R"({"a":1.50,"b":[true,null,"x"],"c":{"d":{}},"e":[],"f":"ü\n\"$"})", "1e3", R"("x")"})
    EXPECT_EQ(again(text), text);
  EXPECT_EQ(again("{ \"a\" : 1 }"), R"({"a":1})");
}

TEST(JsonNode, RefusesWhatTwoReadersCouldReadDifferently) {
  EXPECT_EQ(again(R"({"a":1,"a":2})"), "refused: `a` is written twice");
  for (const char* text : {"", "{", "{\"a\":1}x", "\"\xff\"", "nul"})
    EXPECT_TRUE(again(text).starts_with("refused: ")) << text;
}

// The cases of RFC 7396, appendix A.
TEST(MergePatch, FollowsItsStandard) {
  const char* const cases[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const auto& [original, patch, result] : cases) {
    auto to = node_of_json(original);
    const auto with = node_of_json(patch);
    ASSERT_TRUE(to && with);
    merge_patch(*to, *with);
    EXPECT_EQ(compact_json(*to), result) << original << " + " << patch;
  }
}

}  // namespace
}  // namespace sluice::app
