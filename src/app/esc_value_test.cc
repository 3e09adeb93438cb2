#include "app/esc_value.h"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

constexpr std::string_view kSession = R"({"exprs": {}, "schema": {}, "properties": {
  "openai": {"value": {"apiKey": {"value": "sk-1", "secret": true, "trace": {}},
                       "limit": {"value": 12.50, "trace": {}},
                       "on": {"value": true, "trace": {}},
                       "later": {"unknown": true, "trace": {}},
                       "nothing": {"trace": {}}, "null": {"value": null}}, "trace": {}},
  "environmentVariables": {"value": {"OPENAI_API_KEY": {"value": "sk-2"}}},
  "servers": {"value": [{"value": {"host": {"value": "a"}}}, {"value": "b"}]},
  "a \"dotted\" .name": {"value": {"x\\": {"value": "c"}}},
  "rotated": {"value": {"current": {"value": {"apiKey": {"value": "new"}}},
                        "previous": {"value": {"apiKey": {"value": "old"}}}}},
  "fresh": {"value": {"current": {"value": {"apiKey": {"value": "first"}}},
                      "previous": {"trace": {}}}},
  "alone": {"value": {"current": {"value": {"apiKey": {"value": "only"}}}}},
  "plain": {"value": {"current": {"value": "p2"}, "previous": {"value": "p1"}}}
}})";

std::string text_at(std::string_view path) {
  const Result<std::string> value = esc_value(kSession, path);
  return value ? *value : "error: " + value.error().message();
}

TEST(EscValue, NestedNodesAreUnwrapped) {
  EXPECT_EQ(text_at("openai.apiKey"), "sk-1");
  EXPECT_EQ(text_at("environmentVariables.OPENAI_API_KEY"), "sk-2");
}

TEST(EscValue, NumbersAndBooleansAreTheTextOfTheirJson) {
  EXPECT_EQ(text_at("openai.limit"), "12.5");
  EXPECT_EQ(text_at("openai.on"), "true");
}

TEST(EscValue, ListsAreNamedByNumberAndOddNamesInQuotes) {
  EXPECT_EQ(text_at("servers[0].host"), "a");
  EXPECT_EQ(text_at("servers[1]"), "b");
  EXPECT_EQ(text_at("[\"openai\"][\"apiKey\"]"), "sk-1");
  EXPECT_EQ(text_at("[\"a \\\"dotted\\\" .name\"][\"x\\\\\"]"), "c");
}

TEST(EscValue, NullIsTheEmptyText) {
  EXPECT_EQ(text_at("openai.nothing"), "");
  EXPECT_EQ(text_at("openai.null"), "");
}

TEST(EscValue, ARotatedValueThatIsNotNamedIsTheCurrentOne) {
  EXPECT_EQ(text_at("rotated.apiKey"), "new");
  EXPECT_EQ(text_at("rotated.current.apiKey"), "new");
  EXPECT_EQ(text_at("rotated.previous.apiKey"), "old");
  EXPECT_EQ(text_at("plain"), "p2");
  EXPECT_EQ(text_at("plain.previous"), "p1");
}

TEST(EscValue, BeforeTheFirstRotationThePreviousOneIsTheEmptyText) {
  for (const char* name : {"fresh", "alone"}) {
    EXPECT_NE(text_at(std::string(name) + ".apiKey"), "") << name;
    EXPECT_EQ(text_at(std::string(name) + ".previous.apiKey"), "") << name;
    EXPECT_EQ(text_at(std::string(name) + ".previous"), "") << name;
  }
}

TEST(EscValue, WhatIsNotThereIsNamedByItsPathAlone) {
  for (const char* path : {"openai.apikey", "nobody", "openai.apiKey.more", "servers[2]",
                           "servers.host", "openai[0]", "openai.nothing.more", "rotated.user"})
    EXPECT_EQ(text_at(path), "error: it has no value at `" + std::string(path) + "`");
}

TEST(EscValue, WhatIsNoSingleKnownValueIsRefused) {
  EXPECT_EQ(text_at("openai"), "error: `openai` is no single value: name one in it");
  EXPECT_EQ(text_at("rotated"), "error: `rotated` is no single value: name one in it");
  EXPECT_EQ(text_at("openai.later"), "error: `openai.later` is not known yet");
}

TEST(EscValue, PathsThatCannotBeReadAreRefused) {
  for (const char* path :
       {"", ".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[-1]", "a[0", "a[\"b", "a[\"b\"",
        "a[\"b\\", "a]b", "a\"b", "a[0]b", "a[99999999999999999999]"})
    EXPECT_FALSE(check_esc_path(path)) << path;
}

TEST(EscValue, WhatIsNotOfTheApiIsRefused) {
  for (const char* session :
       {"", "[]", "{}", R"({"properties": {"a": "plain"}})", R"({"properties": [1]})", "nonsense"})
    EXPECT_FALSE(esc_value(session, "a")) << session;
}

}  // namespace
}  // namespace sluice::app
