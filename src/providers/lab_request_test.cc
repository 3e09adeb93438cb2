#include "providers/lab_request.h"

#include <gtest/gtest.h>

#include "providers/lab_test_request.h"

namespace sluice::providers {
namespace {

// "code|param" of the refusal; "accepted" for none.
std::string verdict(std::string_view members, chat::Endpoint endpoint = chat::Endpoint::Chat,
                    std::string_view model = "chat") {
  std::string body = R"({"model":")" + std::string(model) + "\"";
  if (endpoint == chat::Endpoint::Chat && members.find("\"messages\"") == std::string_view::npos) {
    body += R"(,"messages":[{"role":"user","content":"hello json"}])";
  }
  if (!members.empty()) body += ",";
  body += std::string(members) + "}";
  const LabTestRequest read(body, endpoint);
  return read.error ? read.error->code + "|" + read.error->param : "accepted";
}

TEST(LabRequest, AcceptsWhatTheSdksSend) {
  EXPECT_EQ(verdict(""), "accepted");
  EXPECT_EQ(verdict(R"("temperature":0.2,"max_tokens":5,"stop":["a","b"],"n":2,"user":"u")"),
            "accepted");
  EXPECT_EQ(verdict(R"("temperature":null,"tools":null,"stop":null,"stream":null)"), "accepted");
  EXPECT_EQ(verdict(R"("stream":true,"stream_options":{"include_usage":true})"), "accepted");
  EXPECT_EQ(verdict(R"("something_new":{"deep":[1]})"), "accepted");
  EXPECT_EQ(verdict(R"("messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c",)"
                    R"("type":"function","function":{"name":"f","arguments":"{}"}}]},)"
                    R"({"role":"tool","tool_call_id":"c","content":"4"}])"),
            "accepted");
}

TEST(LabRequest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(verdict(R"("temperature":"hot")"), "invalid_type|temperature");
  EXPECT_EQ(verdict(R"("temperature":3)"), "decimal_above_max_value|temperature");
  EXPECT_EQ(verdict(R"("n":0)"), "integer_below_min_value|n");
  EXPECT_EQ(verdict(R"("max_tokens":0)"), "integer_below_min_value|max_tokens");
  EXPECT_EQ(verdict(R"("stop":["a","b","c","d","e"])"), "array_above_max_length|stop");
  EXPECT_EQ(verdict(R"("stream":"yes")"), "invalid_type|stream");
  EXPECT_EQ(verdict(R"("stream_options":{"include_usage":true})"), "|stream_options");
  EXPECT_EQ(verdict(R"("top_logprobs":3)"), "|top_logprobs");
  EXPECT_EQ(verdict(R"("reasoning_effort":"huge")"), "invalid_value|reasoning_effort");
  EXPECT_EQ(verdict(R"("metadata":{"a":1})"), "invalid_type|metadata.a");
}

TEST(LabRequest, NamesTheMessageThatIsWrong) {
  EXPECT_EQ(verdict(R"("messages":[])"), "empty_array|messages");
  EXPECT_EQ(verdict(R"("messages":"hi")"), "invalid_type|messages");
  EXPECT_EQ(verdict(R"("messages":["hi"])"), "invalid_type|messages[0]");
  EXPECT_EQ(verdict(R"("messages":[{"content":"x"}])"),
            "missing_required_parameter|messages[0].role");
  EXPECT_EQ(verdict(R"("messages":[{"role":"user","content":"x"},{"role":"robot","content":"x"}])"),
            "invalid_value|messages[1].role");
  EXPECT_EQ(verdict(R"("messages":[{"role":"user","content":null}])"),
            "invalid_type|messages[0].content");
  EXPECT_EQ(verdict(R"("messages":[{"role":"assistant","content":null}])"),
            "invalid_type|messages[0].content");
  EXPECT_EQ(verdict(R"("messages":[{"role":"user","content":[{"type":"smell"}]}])"),
            "invalid_value|messages[0].content[0].type");
  EXPECT_EQ(verdict(R"("messages":[{"role":"tool","content":"4"}])"),
            "missing_required_parameter|messages[0].tool_call_id");
}

TEST(LabRequest, NamesTheToolThatIsWrong) {
  EXPECT_EQ(verdict(R"("tools":[{"type":"function"}])"),
            "missing_required_parameter|tools[0].function");
  EXPECT_EQ(verdict(R"("tools":[{"type":"function","function":{"name":"no spaces"}}])"),
            "invalid_value|tools[0].function.name");
  EXPECT_EQ(verdict(R"("tool_choice":"auto")"), "|tool_choice");
  EXPECT_EQ(verdict(R"("tools":[{"type":"function","function":{"name":"f"}}],)"
                    R"("tool_choice":{"type":"function","function":{"name":"g"}})"),
            "invalid_value|tool_choice.function.name");
}

TEST(LabRequest, JsonModeWantsTheWordJsonInThePrompt) {
  EXPECT_EQ(verdict(R"("response_format":{"type":"json_object"})"), "accepted");
  EXPECT_EQ(verdict(R"("messages":[{"role":"user","content":"hello"}],)"
                    R"("response_format":{"type":"json_object"})"),
            "|messages");
  EXPECT_EQ(verdict(R"("response_format":{"type":"json_schema"})"),
            "missing_required_parameter|response_format.json_schema");
}

TEST(LabRequest, AReasoningModelRefusesMaxTokensAndTemperature) {
  using chat::Endpoint;
  EXPECT_EQ(verdict(R"("max_tokens":5)", Endpoint::Chat, "reasoning"),
            "unsupported_parameter|max_tokens");
  EXPECT_EQ(verdict(R"("temperature":0.5)", Endpoint::Chat, "reasoning"),
            "unsupported_value|temperature");
  EXPECT_EQ(verdict(R"("max_completion_tokens":5,"temperature":1)", Endpoint::Chat, "reasoning"),
            "accepted");
}

TEST(LabRequest, RefusesBodiesThatAreNoObject) {
  for (const char* body : {"", "[]", "7", "{\"model\":", "{\"model\":\"\xff\"}"}) {
    EXPECT_TRUE(LabTestRequest(body).error) << body;
  }
  const LabTestRequest no_model(R"({"messages":[]})");
  ASSERT_TRUE(no_model.error);
  EXPECT_EQ(no_model.error->param, "model");
}

TEST(LabRequest, TakesEveryFormOfInputToEmbed) {
  const auto parts = [](std::string_view input) {
    const std::string body = R"({"model":"embed","input":)" + std::string(input) + "}";
    const LabTestRequest read(body, chat::Endpoint::Embeddings);
    return read.error ? -1 : static_cast<int64_t>(read.request.parts.size());
  };
  EXPECT_EQ(parts(R"("one text")"), 1);
  EXPECT_EQ(parts(R"(["one","two"])"), 2);
  EXPECT_EQ(parts("[1,2,3]"), 1);
  EXPECT_EQ(parts("[[1,2],[3]]"), 2);
  EXPECT_EQ(parts(R"("")"), -1);
  EXPECT_EQ(parts("[]"), -1);
  EXPECT_EQ(parts("7"), -1);
  EXPECT_EQ(parts("null"), -1);
}

}  // namespace
}  // namespace sluice::providers
