#include "routing/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>

namespace sluice::routing {
namespace {

using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;

struct Bare {
  std::map<std::string, Value, std::less<>> values;
  Value operator()(std::string_view name) const {
    const auto found = values.find(name);
    return found == values.end() ? Value{} : found->second;
  }
};

// A request of a paying user, on Thursday 1970-01-01 at 10:30 UTC.
class ConditionOn : public testing::Test {
 protected:
  ConditionOn() {
    metadata.values = {{"plan", Value::of("paid")}, {"age", Value::of("42")}};
    header.values = {{"x-team", Value::of("red")}};
    field.values = {{"temperature", Value::of_number(0.5)},
                    {"stream", {.kind = Value::Kind::Bool, .boolean = true}},
                    {"stop", {.kind = Value::Kind::Null}},
                    {"model", Value::of("gpt-5")}};
    facts.metadata = metadata;
    facts.header = header;
    facts.field = field;
    facts.path = "/v1/chat/completions";
    facts.key = "ci";
    facts.task = "chat";
    facts.prompt_tokens = 1200;
    facts.wall_micros = 10 * kHour + kHour / 2;
  }

  bool matches(std::string_view json) const {
    const Result<Condition> condition = Condition::parse(json);
    EXPECT_TRUE(condition) << json << ": " << condition.error().message();
    return condition && condition->matches(facts);
  }

  Bare metadata, header, field;
  Facts facts;
};

Error refusal(std::string_view json) {
  Result<Condition> condition = Condition::parse(json);
  EXPECT_FALSE(condition) << json;
  return condition ? Error(Outcome::Ok, "") : std::move(condition).error();
}

std::string words(std::string_view json) {
  const Result<Condition> condition = Condition::parse(json);
  EXPECT_TRUE(condition) << condition.error().message();
  return condition ? condition->explain() : "";
}

TEST_F(ConditionOn, EverySubjectCanBeLookedAt) {
  EXPECT_TRUE(matches(R"({"metadata.plan": {"$eq": "paid"}})"));
  EXPECT_TRUE(matches(R"({"params.temperature": {"$eq": 0.5}})"));
  EXPECT_TRUE(matches(R"({"header.X-Team": {"$eq": "red"}})"));
  EXPECT_TRUE(matches(R"({"key": {"$eq": "ci"}})"));
  EXPECT_TRUE(matches(R"({"task": {"$eq": "chat"}})"));
  EXPECT_TRUE(matches(R"({"url.pathname": {"$eq": "/v1/chat/completions"}})"));
  EXPECT_TRUE(matches(R"({"prompt_tokens": {"$eq": 1200}})"));
  EXPECT_TRUE(matches(R"({"hour": {"$eq": 10}})"));
  EXPECT_TRUE(matches(R"({"weekday": {"$eq": "thu"}})"));
}

TEST_F(ConditionOn, EveryOperatorSaysYesAndNo) {
  EXPECT_TRUE(matches(R"({"metadata.plan": "paid"})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": "free"})"));
  EXPECT_TRUE(matches(R"({"metadata.plan": {"$ne": "free"}})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": {"$ne": "paid"}})"));
  EXPECT_TRUE(matches(R"({"metadata.plan": {"$in": ["free", "paid"]}})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": {"$in": ["free", "trial"]}})"));
  EXPECT_TRUE(matches(R"({"metadata.plan": {"$nin": ["free", "trial"]}})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": {"$nin": ["free", "paid"]}})"));
  EXPECT_TRUE(matches(R"({"prompt_tokens": {"$gt": 1199}})"));
  EXPECT_FALSE(matches(R"({"prompt_tokens": {"$gt": 1200}})"));
  EXPECT_TRUE(matches(R"({"prompt_tokens": {"$gte": 1200}})"));
  EXPECT_FALSE(matches(R"({"prompt_tokens": {"$gte": 1201}})"));
  EXPECT_TRUE(matches(R"({"prompt_tokens": {"$lt": 1201}})"));
  EXPECT_FALSE(matches(R"({"prompt_tokens": {"$lt": 1200}})"));
  EXPECT_TRUE(matches(R"({"prompt_tokens": {"$lte": 1200}})"));
  EXPECT_FALSE(matches(R"({"prompt_tokens": {"$lte": 1199}})"));
  EXPECT_TRUE(matches(R"({"params.model": {"$regex": "^gpt-\\d$"}})"));
  EXPECT_FALSE(matches(R"({"params.model": {"$regex": "^claude"}})"));
}

TEST_F(ConditionOn, WhatTheRequestDoesNotHaveMatchesNothing) {
  for (const char* op : {R"("$eq": "x")", R"("$ne": "x")", R"("$in": ["x"])", R"("$nin": ["x"])",
                         R"("$lt": 1)", R"("$gte": 0)", R"("$regex": "")"}) {
    EXPECT_FALSE(matches(R"({"metadata.none": {)" + std::string(op) + "}}")) << op;
  }
  facts.metadata = {};
  facts.prompt_tokens.reset();
  facts.key = "";
  EXPECT_FALSE(matches(R"({"metadata.plan": {"$ne": "x"}})"));
  EXPECT_FALSE(matches(R"({"prompt_tokens": {"$gte": 0}})"));
  EXPECT_FALSE(matches(R"({"key": {"$ne": "x"}})"));
  EXPECT_TRUE(matches(R"({"$not": {"metadata.none": "x"}})"));
}

TEST_F(ConditionOn, MembersOfOneObjectMustAllHold) {
  EXPECT_TRUE(matches(R"({"metadata.plan": "paid", "key": "ci"})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": "paid", "key": "other"})"));
  EXPECT_TRUE(matches(R"({"metadata.age": {"$gt": 40, "$lt": 50}})"));
  EXPECT_FALSE(matches(R"({"metadata.age": {"$gt": 40, "$lt": 41}})"));
}

TEST_F(ConditionOn, ListsCombineWithAndOrNot) {
  EXPECT_TRUE(matches(R"({"$and": [{"key": "ci"}, {"task": "chat"}]})"));
  EXPECT_FALSE(matches(R"({"$and": [{"key": "ci"}, {"task": "other"}]})"));
  EXPECT_TRUE(matches(R"({"$or": [{"key": "x"}, {"task": "chat"}]})"));
  EXPECT_FALSE(matches(R"({"$or": [{"key": "x"}, {"task": "other"}]})"));
  EXPECT_FALSE(matches(R"({"$not": {"key": "ci"}})"));
  EXPECT_TRUE(matches(R"({"$or": [{"key": "ci"}], "$not": {"key": "x"}})"));
  EXPECT_FALSE(matches(R"({"$or": [{"key": "ci"}], "$not": {"key": "ci"}})"));
  EXPECT_FALSE(matches(R"({"$or": [{"key": "x"}], "task": "chat"})"));
}

TEST_F(ConditionOn, TextThatReadsAsANumberCountsAsOne) {
  EXPECT_TRUE(matches(R"({"metadata.age": 42})"));
  EXPECT_TRUE(matches(R"({"metadata.age": "42"})"));
  EXPECT_FALSE(matches(R"({"metadata.age": "42.0"})"));
  EXPECT_TRUE(matches(R"({"metadata.age": {"$gte": "42"}})"));
  EXPECT_TRUE(matches(R"({"params.temperature": "0.5"})"));
  EXPECT_TRUE(matches(R"({"params.temperature": {"$lt": 1}})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": {"$lt": 1}})"));
  EXPECT_FALSE(matches(R"({"metadata.plan": {"$gte": 0}})"));
}

TEST_F(ConditionOn, BooleansAndNullCompareWithTheirLike) {
  EXPECT_TRUE(matches(R"({"params.stream": true})"));
  EXPECT_FALSE(matches(R"({"params.stream": false})"));
  EXPECT_TRUE(matches(R"({"params.stream": "true"})"));
  EXPECT_FALSE(matches(R"({"params.stream": 1})"));
  EXPECT_TRUE(matches(R"({"params.stop": null})"));
  EXPECT_FALSE(matches(R"({"params.stream": null})"));
  EXPECT_FALSE(matches(R"({"params.stop": {"$regex": ""}})"));
}

TEST_F(ConditionOn, HoursAndWeekdaysAreThoseOfThePlaceThatIsMeant) {
  facts.wall_micros = 3 * kDay;
  EXPECT_TRUE(matches(R"({"weekday": {"$in": ["sat", "sun"]}})"));
  facts.wall_micros = 3 * kDay - 1;
  EXPECT_TRUE(matches(R"({"weekday": "sat", "hour": 23})"));
  facts.wall_micros = -1;
  EXPECT_TRUE(matches(R"({"weekday": "wed", "hour": 23})"));
}

TEST(Condition, IsExplainedInWords) {
  EXPECT_EQ(words(R"({"metadata.plan": {"$eq": "paid"}})"), "metadata.plan is 'paid'");
  EXPECT_EQ(words(R"({"hour": {"$gte": 8, "$lt": 18}})"),
            "hour is at least 8 and hour is under 18");
  EXPECT_EQ(
      words(R"({"$or": [{"key": {"$in": ["a", "b"]}}, {"$not": {"params.n": {"$gt": 1.5}}}]})"),
      "key is one of 'a', 'b' or not (params.n is over 1.5)");
  EXPECT_EQ(words(R"({"key": "a", "$or": [{"params.x": true}, {"params.y": null}]})"),
            "key is 'a' and (params.x is true or params.y is null)");
  EXPECT_EQ(words(R"({"url.pathname": {"$regex": "/chat$"}})"), "path matches '/chat$'");
}

TEST(Condition, LongWordsAreCutBetweenCharacters) {
  std::string long_value;
  for (int i = 0; i < 300; ++i) long_value += "\xc3\xa9";
  for (const char* lead : {"", "x"}) {
    const std::string text = words(R"({"key": ")" + (lead + long_value) + R"("})");
    EXPECT_LE(text.size(), 240u);
    EXPECT_TRUE(text.ends_with("\xc3\xa9...")) << text;
  }
}

TEST(Condition, FaultsNameThePathOfTheMember) {
  EXPECT_EQ(refusal(R"({"metadta.plan": "paid"})").param(), "metadta.plan");
  EXPECT_THAT(refusal(R"({"metadta.plan": "paid"})").message(),
              HasSubstr("'metadta.plan' is nothing a condition can look at"));
  EXPECT_EQ(refusal(R"({"$or": [{"key": "a"}, {"key": {"$like": "b"}}]})").param(),
            "$or[1].key.$like");
  EXPECT_THAT(refusal(R"({"key": {"$like": "b"}})").message(),
              HasSubstr("'$like' is no operator: $eq, $ne"));
  EXPECT_EQ(refusal(R"({"$and": [{"params.a": {"$regex": "("}}]})").param(),
            "$and[0].params.a.$regex");
}

TEST(Condition, WhatCouldNeverBeTrueIsRefused) {
  EXPECT_THAT(refusal(R"({"hour": 25})").message(), HasSubstr("from 0 to 23"));
  EXPECT_THAT(refusal(R"({"hour": "noon"})").message(), HasSubstr("only a number"));
  EXPECT_THAT(refusal(R"({"weekday": "Monday"})").message(), HasSubstr("'mon'"));
  EXPECT_THAT(refusal(R"({"key": {"$gt": "abc"}})").message(), HasSubstr("only a number"));
  EXPECT_THAT(refusal(R"({"key": {"$gt": "nan"}})").message(), HasSubstr("only a number"));
  EXPECT_THAT(refusal(R"({"prompt_tokens": {"$in": [1, true]}})").message(),
              HasSubstr("only a number"));
}

TEST(Condition, WhatSaysNothingIsRefused) {
  EXPECT_THAT(refusal("{}").message(), HasSubstr("without a member"));
  EXPECT_THAT(refusal(R"({"$and": []})").message(), HasSubstr("without one"));
  EXPECT_THAT(refusal(R"({"key": {}})").message(), HasSubstr("without an operator"));
  EXPECT_THAT(refusal(R"({"key": {"$in": []}})").message(), HasSubstr("without a value"));
  EXPECT_THAT(refusal(R"({"metadata.": "x"})").message(), HasSubstr("nothing a condition"));
}

TEST(Condition, OfTheWrongTypeIsRefused) {
  EXPECT_THAT(refusal("[]").message(), HasSubstr("a condition is an object, not an array"));
  EXPECT_THAT(refusal(R"({"$or": {}})").message(), HasSubstr("$and or $or is an array"));
  EXPECT_THAT(refusal(R"({"key": {"$in": "a"}})").message(),
              HasSubstr("is an array, not a string"));
  EXPECT_THAT(refusal(R"({"key": {"$regex": 1}})").message(), HasSubstr("a pattern is a string"));
  EXPECT_THAT(refusal(R"({"key": [1]})").message(), HasSubstr("compares with text"));
  EXPECT_THAT(refusal(R"({"key": {"$eq": {}}})").message(), HasSubstr("compares with text"));
}

TEST(Condition, BrokenJsonIsRefusedWithItsPlace) {
  EXPECT_THAT(refusal("").message(), HasSubstr("no text at all"));
  EXPECT_THAT(refusal(R"({"key": "a")").message(), HasSubstr("line 1"));
  EXPECT_THAT(refusal(R"({"key": "a"} x)").message(), HasSubstr("line 1"));
  EXPECT_THAT(refusal("{\"key\": \"\xff\"}").message(), HasSubstr("UTF-8"));
  const std::string whole = R"({"$or": [{"key": {"$in": ["a", 1]}}, {"$not": {"hour": 3}}]})";
  for (size_t end = 0; end < whole.size(); ++end)
    EXPECT_FALSE(Condition::parse(std::string_view(whole).substr(0, end))) << end;
}

TEST(Condition, SecretHeadersCannotBeLookedAt) {
  EXPECT_THAT(refusal(R"({"header.Authorization": "Bearer x"})").message(), HasSubstr("a secret"));
  EXPECT_THAT(refusal(R"({"header.x-api-key": {"$regex": "x"}})").message(), HasSubstr("a secret"));
}

TEST(Condition, DepthAndSizeAreBounded) {
  std::string deep = R"({"key": "a"})";
  for (int i = 0; i < Condition::kMaxDepth; ++i) deep = R"({"$not": )" + deep + "}";
  EXPECT_THAT(refusal(deep).message(), HasSubstr("nested too deep"));
  std::string wide = R"({"$or": [)";
  for (size_t i = 0; i < Condition::kMaxTerms; ++i) wide += R"({"key": "a"},)";
  wide += R"({"key": "a"}]})";
  EXPECT_THAT(refusal(wide).message(), HasSubstr("too many terms"));
}

TEST_F(ConditionOn, EscapesStandForTheirCharacters) {
  metadata.values["na\"me"] = Value::of("a\nb");
  EXPECT_TRUE(matches(R"({"metadata.na\"me": "a\nb"})"));
  EXPECT_TRUE(matches(R"({"m\u0065tadata.plan": {"\u0024eq": "p\u0061id"}})"));
}

}  // namespace
}  // namespace sluice::routing
