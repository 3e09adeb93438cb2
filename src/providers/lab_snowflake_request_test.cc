#include "providers/lab_snowflake_request.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::providers {
namespace {

struct Read {
  Read(std::string_view body, void (*read)(LabFields&, LabRequest&)) {
    const simdjson::padded_string text(body);
    simdjson::dom::object object;
    EXPECT_EQ(parser.parse(text).get(object), simdjson::SUCCESS) << body;
    LabFields fields(object, "", error);
    read(fields, request);
  }
  std::string param() const { return error ? error->param : ""; }

  simdjson::dom::parser parser;
  std::optional<LabError> error;
  LabRequest request;
};

Read complete(std::string_view body) {
  return Read(body, read_lab_snowflake_complete);
}
// A request with these messages, and these fields behind them.
std::string fault(std::string_view messages, std::string_view more = "") {
  return complete(fmt::format(R"({{"messages":{}{}}})", messages, more)).param();
}
constexpr std::string_view kHi = R"([{"role":"user","content":"hi"}])";

TEST(LabSnowflakeRequest, StreamsUnlessAskedNotTo) {
  EXPECT_TRUE(complete(R"({"messages":[{"role":"user","content":"hi"}]})").request.stream);
  EXPECT_FALSE(
      complete(R"({"messages":[{"role":"user","content":"hi"}],"stream":false})").request.stream);
}

TEST(LabSnowflakeRequest, ContentMayBeATextOrAList) {
  const Read read = complete(
      R"({"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"weather?"},)"
      R"({"role":"assistant","content_list":[{"type":"tool_use","tool_use":)"
      R"({"tool_use_id":"t1","name":"get_weather","input":{"city":"Oslo"}}}]},)"
      R"({"role":"user","content_list":[{"type":"tool_results","tool_results":{"tool_use_id":"t1",)"
      R"("name":"get_weather","content":[{"type":"text","text":"rain"},)"
      R"({"type":"json","json":{"c":4}}]}}]}]})");
  EXPECT_FALSE(read.error) << read.error->message;
  EXPECT_EQ(read.request.parts.size(), 4U);
  EXPECT_TRUE(read.request.last_is_tool_result);
  EXPECT_EQ(read.request.last_user_text, R"(rain{"c":4})");
  EXPECT_EQ(read.request.max_tokens, 4096);
}

TEST(LabSnowflakeRequest, RolesAlternateAndTheUserSpeaksLast) {
  EXPECT_EQ(fault(kHi), "");
  EXPECT_EQ(fault(R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])"),
            "messages[1].role");
  EXPECT_EQ(fault(R"([{"role":"assistant","content":"a"}])"), "messages[0].role");
  EXPECT_EQ(fault(R"([{"role":"user","content":"a"},{"role":"system","content":"b"}])"),
            "messages[1].role");
  EXPECT_EQ(fault(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"}])"),
            "messages");
  EXPECT_EQ(fault("[]"), "messages");
  EXPECT_EQ(fault(R"([{"role":"tool","content":"a"}])"), "messages[0].role");
}

TEST(LabSnowflakeRequest, EachFieldIsChecked) {
  EXPECT_EQ(fault(R"([{"role":"user"}])"), "messages[0].content");
  EXPECT_EQ(fault(R"([{"role":"user","content":[{"type":"text","text":"a"}]}])"),
            "messages[0].content");
  EXPECT_EQ(fault(R"([{"role":"user","content_list":[{"type":"image_url"}]}])"),
            "messages[0].content_list[0].type");
  EXPECT_EQ(fault(R"([{"role":"user","content_list":[{"type":"tool_use"}]}])"),
            "messages[0].content_list[0].tool_use");
  EXPECT_EQ(fault(kHi, R"(,"temperature":1.5)"), "temperature");
  EXPECT_EQ(fault(kHi, R"(,"max_tokens":0)"), "max_tokens");
  EXPECT_EQ(fault(kHi, R"(,"response_format":{"type":"json_object"})"), "response_format.type");
  EXPECT_EQ(fault(kHi, R"(,"response_format":{"type":"json"})"), "response_format.schema");
  EXPECT_EQ(fault(kHi, R"(,"guardrails":{"enabled":"yes"})"), "guardrails.enabled");
  EXPECT_EQ(fault(kHi, R"(,"stream":"no")"), "stream");
}

TEST(LabSnowflakeRequest, ToolsAreSpecs) {
  constexpr std::string_view kSpec =
      R"({"tool_spec":{"type":"generic","name":"f","input_schema":{"type":"object"}}})";
  const std::string tools = fmt::format(R"(,"tools":[{}])", kSpec);
  EXPECT_EQ(fault(kHi, tools), "");
  EXPECT_EQ(fault(kHi, R"(,"tools":[{"type":"function","function":{"name":"f"}}])"),
            "tools[0].tool_spec");
  EXPECT_EQ(fault(kHi, R"(,"tools":[{"tool_spec":{"type":"generic","name":"f"}}])"),
            "tools[0].tool_spec.input_schema");
  EXPECT_EQ(fault(kHi, tools + R"(,"tool_choice":"auto")"), "tool_choice");
  EXPECT_EQ(fault(kHi, tools + R"(,"tool_choice":{"type":"any"})"), "tool_choice.type");
  EXPECT_EQ(fault(kHi, tools + R"(,"tool_choice":{"type":"tool","name":["g"]})"),
            "tool_choice.name");
  const Read read = complete(fmt::format(
      R"({{"messages":{}{},"tool_choice":{{"type":"tool","name":["f"]}}}})", kHi, tools));
  EXPECT_THAT(read.request.tool_names, testing::ElementsAre("f"));
  EXPECT_EQ(read.request.tool_choice, LabRequest::ToolChoice::Required);
}

TEST(LabSnowflakeRequest, AnEmbeddingTakesTexts) {
  const Read two = Read(R"({"text":["one two","three"]})", read_lab_snowflake_embed);
  EXPECT_FALSE(two.error);
  EXPECT_EQ(two.request.parts.size(), 2U);
  const Read same = Read(R"({"text":["three"]})", read_lab_snowflake_embed);
  EXPECT_EQ(same.request.parts[0].hash, two.request.parts[1].hash);
  for (const char* bad : {R"({"text":"one"})", R"({"input":["one"]})", R"({"text":[]})",
                          R"({"text":[""]})", R"({"text":[1]})"}) {
    EXPECT_EQ(Read(bad, read_lab_snowflake_embed).param(), "text") << bad;
  }
}

TEST(LabSnowflakeRequest, ChatIsBoundedByMaxCompletionTokensAlone) {
  const auto param = [](std::string_view body) {
    return Read(body, [](LabFields& fields, LabRequest&) { check_lab_snowflake_chat(fields); })
        .param();
  };
  EXPECT_EQ(param(R"({"max_completion_tokens":131072})"), "");
  EXPECT_EQ(param(R"({"max_completion_tokens":131073})"), "max_completion_tokens");
  EXPECT_EQ(param(R"({"max_tokens":10})"), "max_tokens");
}

}  // namespace
}  // namespace sluice::providers
