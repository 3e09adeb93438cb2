#include "providers/lab_completion.h"

#include <gtest/gtest.h>

#include "providers/lab_schema.h"
#include "providers/lab_test_request.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

std::string chat(std::string_view more, std::string_view content = "Tell me about json",
                 std::string_view model = "chat") {
  return R"({"model":")" + std::string(model) + R"(","messages":[{"role":"user","content":")" +
         std::string(content) + "\"}]" + std::string(more) + "}";
}
constexpr std::string_view kWeather =
    R"(,"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object",)"
    R"("properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":3}},)"
    R"("required":["city"]}}}])";

TEST(LabCompletion, UsageKeepsTheInvariants) {
  const LabTestRequest read(chat("", "hello", "reasoning"), chat::Endpoint::Chat, "cached-99999");
  const LabUsage usage = read.complete().usage;
  EXPECT_EQ(usage.prompt, lab_count_tokens("hello"));
  EXPECT_EQ(usage.cached, usage.prompt);  // clamped
  EXPECT_EQ(usage.reasoning, 64);
  EXPECT_GT(usage.completion, usage.reasoning);
}

TEST(LabCompletion, TheSameRequestAndSeedGiveTheSameReply) {
  const LabTestRequest a(chat(""));
  const LabTestRequest b(chat(""));
  const LabTestRequest other(chat("", "something else"));
  EXPECT_EQ(a.buffered(), b.buffered());
  EXPECT_NE(a.complete(0).choices[0].text, a.complete(1).choices[0].text);
  EXPECT_NE(a.complete(0).choices[0].text, other.complete(0).choices[0].text);
}

TEST(LabCompletion, StopsAtMaxTokensAndSaysLength) {
  const LabTestRequest read(chat(R"(,"max_tokens":5)"));
  const LabCompletion completion = read.complete();
  EXPECT_EQ(completion.usage.completion, 5);
  EXPECT_EQ(lab_count_tokens(completion.choices[0].text), 5);
  EXPECT_EQ(completion.choices[0].finish_reason, "length");
}

TEST(LabCompletion, ThinkingUsesUpMaxCompletionTokensFirst) {
  const LabTestRequest read(chat(R"(,"max_completion_tokens":50)", "x", "reasoning"));
  const LabCompletion completion = read.complete();
  EXPECT_EQ(completion.usage.reasoning, 50);
  EXPECT_EQ(completion.usage.completion, 50);
  EXPECT_EQ(completion.choices[0].text, "");
  EXPECT_EQ(completion.choices[0].finish_reason, "length");
}

TEST(LabCompletion, StopsBeforeAStopSequence) {
  const LabTestRequest read(chat(R"(,"stop":"."})").substr(0, chat(R"(,"stop":"."})").size() - 1));
  const LabCompletion completion = read.complete();
  EXPECT_EQ(completion.choices[0].text.find('.'), std::string::npos);
  EXPECT_EQ(completion.choices[0].finish_reason, "stop");
}

TEST(LabCompletion, CallsAToolThatThePromptMentions) {
  const LabTestRequest plain(chat(kWeather, "how are you?"));
  EXPECT_TRUE(plain.complete().choices[0].calls.empty());
  const LabTestRequest asks(chat(kWeather, "get weather for Oslo"));
  const LabCompletion completion = asks.complete();
  ASSERT_EQ(completion.choices[0].calls.size(), 1U);
  EXPECT_EQ(completion.choices[0].calls[0].name, "get_weather");
  EXPECT_EQ(completion.choices[0].finish_reason, "tool_calls");
}

TEST(LabCompletion, ToolChoiceDecides) {
  const std::string tools(kWeather);
  EXPECT_TRUE(LabTestRequest(chat(tools + R"(,"tool_choice":"none")", "get_weather"))
                  .complete()
                  .choices[0]
                  .calls.empty());
  EXPECT_EQ(LabTestRequest(chat(tools + R"(,"tool_choice":"required")", "hi"))
                .complete()
                .choices[0]
                .calls.size(),
            1U);
  const LabTestRequest five(chat(tools + R"(,"tool_choice":"required")", "hi"),
                            chat::Endpoint::Chat, "tool-calls-5");
  EXPECT_EQ(five.complete().choices[0].calls.size(), 5U);
  const LabTestRequest serial(
      chat(tools + R"(,"tool_choice":"required","parallel_tool_calls":false)", "hi"),
      chat::Endpoint::Chat, "tool-calls-5");
  EXPECT_EQ(serial.complete().choices[0].calls.size(), 1U);
}

// The members of `json` that are not of the type the schema of get_weather says.
TEST(LabCompletion, ArgumentsFollowTheSchema) {
  for (int i = 0; i < 20; ++i) {
    const LabTestRequest read(chat(kWeather, "get_weather " + std::to_string(i)));
    const std::string arguments = read.complete().choices[0].calls[0].arguments;
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    const simdjson::padded_string text(arguments);
    ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS) << arguments;
    int64_t days = 0;
    std::string_view city;
    ASSERT_EQ(root.at_key("days").get(days), simdjson::SUCCESS) << arguments;
    EXPECT_TRUE(days >= 1 && days <= 3) << arguments;
    EXPECT_EQ(root.at_key("city").get(city), simdjson::SUCCESS) << arguments;
  }
}

std::string example(std::string_view schema) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string text(schema);
  if (parser.parse(text).get(root) != simdjson::SUCCESS) return "broken schema";
  LabRandom random(1);
  return lab_example(root, random);
}

TEST(LabSchema, MakesTheOneValueThatFits) {
  EXPECT_EQ(example(R"({"const":{"a":1}})"), R"({"a":1})");
  EXPECT_EQ(example(R"({"enum":["only"]})"), R"("only")");
  EXPECT_EQ(example(R"({"type":["null","string"]})"), "null");
  EXPECT_EQ(example(R"({"type":"integer","minimum":4,"maximum":4})"), "4");
  EXPECT_EQ(example(R"({"type":"array","minItems":2,"items":{"const":0}})"), "[0,0]");
  EXPECT_EQ(example(R"({"anyOf":[{"const":true},{"const":false}]})"), "true");
  EXPECT_EQ(example(R"({"properties":{"d":{"format":"date","type":"string"}}})"),
            R"({"d":"2026-11-23"})");
}

TEST(LabSchema, FollowsReferencesAndEndsWhenTheyGoRound) {
  const std::string made = example(
      R"({"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}}}},)"
      R"("$ref":"#/$defs/node"})");
  EXPECT_EQ(made.substr(0, 9), R"({"next":{)");
  EXPECT_LT(made.size(), 500U);
  EXPECT_LT(example(R"({"$ref":"#"})").size(), 500U);
}

TEST(LabCompletion, StructuredRepliesFollowTheirSchema) {
  const LabTestRequest read(
      chat(R"(,"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":)"
           R"({"type":"object","properties":{"ok":{"const":true}}}}})"));
  EXPECT_EQ(read.complete().choices[0].text, R"({"ok":true})");
}

TEST(LabCompletion, CostCountsCachedTokensOnce) {
  const LabUsage usage{.prompt = 100, .cached = 40, .completion = 10, .reasoning = 5};
  const LabPrice price{.input = 10, .cached_input = 1, .output = 100};
  EXPECT_EQ(lab_cost(usage, price), 60 * 10 + 40 * 1 + 10 * 100);
}

TEST(LabCompletion, ACompletionHasNChoicesForEachPrompt) {
  const LabTestRequest read(R"({"model":"chat","prompt":["a","b"],"n":2,"echo":true})",
                            chat::Endpoint::Completions);
  const LabCompletion completion = read.complete();
  EXPECT_EQ(completion.choices.size(), 4U);
  EXPECT_EQ(completion.usage.completion, 4 * 16);
  EXPECT_EQ(completion.choices[0].finish_reason, "length");
}

}  // namespace
}  // namespace sluice::providers
