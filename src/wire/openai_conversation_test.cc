#include "wire/openai_conversation.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::openai {
namespace {

using chat::Conversation;
using chat::Part;
using chat::Role;
using chat::ToolChoice;
using Kind = Part::Kind;

Conversation read(const std::string& body) {
  Result<Conversation> conversation = read_conversation(body);
  EXPECT_TRUE(conversation) << (conversation ? "" : conversation.error().message());
  return conversation ? std::move(*conversation) : Conversation();
}

// A request with these messages, and these fields behind them.
Conversation with(const std::string& messages, const std::string& fields = "") {
  return read(R"({"model":"m","messages":[)" + messages + "]" + fields + "}");
}
Conversation fields(const std::string& fields) {
  return with(R"({"role":"user","content":"Hi"})", "," + fields);
}
Part only_part(const std::string& part) {
  Conversation conversation = with(R"({"role":"user","content":[)" + part + "]}");
  EXPECT_EQ(conversation.messages.at(0).parts.size(), 1u);
  return conversation.messages.at(0).parts.at(0);
}
std::string refused_at(const std::string& messages, const std::string& fields = "") {
  const Result<Conversation> conversation =
      read_conversation(R"({"model":"m","messages":[)" + messages + "]" + fields + "}");
  if (conversation) return "accepted";
  EXPECT_EQ(conversation.error().outcome(), Outcome::BadRequest);
  return conversation.error().param();
}

TEST(OpenAiConversation, TR_9_SystemAndDeveloperMessagesStayWhereTheyStand) {
  const Conversation conversation =
      with(R"({"role":"developer","content":"a"},{"role":"user","content":"b"},)"
           R"({"role":"system","content":[{"type":"text","text":"c"}],"name":"n"})");
  ASSERT_EQ(conversation.messages.size(), 3u);
  EXPECT_EQ(conversation.messages[0].role, Role::System);
  EXPECT_EQ(conversation.messages[1].role, Role::User);
  EXPECT_EQ(conversation.messages[2].role, Role::System);
  EXPECT_EQ(conversation.messages[2].parts.at(0).text, "c");
  EXPECT_EQ(conversation.messages[2].name, "n");
}

TEST(OpenAiConversation, TR_9_ConsecutiveToolResultsAreOneUserTurn) {
  const Conversation conversation =
      with(R"({"role":"assistant","content":null,"tool_calls":[)"
           R"({"id":"a","type":"function","function":{"name":"f","arguments":""}},)"
           R"({"id":"b","type":"custom","custom":{"name":"g","input":"raw"}}]},)"
           R"({"role":"tool","tool_call_id":"b","content":"2"},)"
           R"({"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"1"}]},)"
           R"({"role":"user","content":"so?"})");
  ASSERT_EQ(conversation.messages.size(), 3u);
  const auto& calls = conversation.messages[0].parts;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].arguments, "");
  EXPECT_TRUE(calls[1].custom);
  EXPECT_EQ(calls[1].arguments, "raw");
  const auto& results = conversation.messages[1].parts;
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(conversation.messages[1].role, Role::User);
  EXPECT_EQ(results[0].id, "b");
  EXPECT_EQ(results[1].content.at(0).text, "1");
}

TEST(OpenAiConversation, TheDeprecatedFunctionsReadAsTools) {
  const Conversation conversation = with(
      R"({"role":"user","content":"Hi"},)"
      R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},)"
      R"({"role":"function","name":"f","content":"1"})",
      R"(,"functions":[{"name":"f","parameters":{"type":"object"}}],"function_call":{"name":"f"})");
  EXPECT_EQ(conversation.tools.at(0).name, "f");
  EXPECT_EQ(conversation.tools.at(0).parameters, R"({"type":"object"})");
  EXPECT_EQ(conversation.tool_choice.kind, ToolChoice::Kind::One);
  EXPECT_EQ(conversation.tool_choice.name, "f");
  const Part& call = conversation.messages.at(1).parts.at(0);
  EXPECT_FALSE(call.id.empty());
  EXPECT_EQ(conversation.messages.at(2).parts.at(0).id, call.id);
}

TEST(OpenAiConversation, TR_9_ImagesAreDataOrUrl) {
  const Part inlined = only_part(
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}})");
  EXPECT_EQ(inlined.kind, Kind::Image);
  EXPECT_EQ(inlined.media_type, "image/png");
  EXPECT_EQ(inlined.data, "AAAA");
  EXPECT_EQ(inlined.url, "");
  EXPECT_EQ(inlined.detail, "low");
  EXPECT_EQ(only_part(R"({"type":"image_url","image_url":"https://a/b"})").url, "https://a/b");
}

TEST(OpenAiConversation, AudioAndFilesKeepTheirTypes) {
  const Part audio =
      only_part(R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}})");
  EXPECT_EQ(audio.kind, Kind::Audio);
  EXPECT_EQ(audio.media_type, "wav");
  const Part file = only_part(
      R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA"}})");
  EXPECT_EQ(file.kind, Kind::File);
  EXPECT_EQ(file.text, "a.pdf");
  EXPECT_EQ(file.media_type, "application/pdf");
  EXPECT_EQ(file.data, "AA");
  EXPECT_EQ(only_part(R"({"type":"file","file":{"file_id":"f1"}})").file_id, "f1");
}

TEST(OpenAiConversation, APartNobodyKnowsIsKeptWhole) {
  const Part part = only_part(R"({"type":"video_url","video_url":{"url":"u"}})");
  EXPECT_EQ(part.kind, Kind::Foreign);
  EXPECT_EQ(part.name, "video_url");
  EXPECT_EQ(part.json, R"({"type":"video_url","video_url":{"url":"u"}})");
}

TEST(OpenAiConversation, AnAssistantsTurnKeepsReasoningTextRefusalAndAudio) {
  const Conversation conversation =
      with(R"({"role":"assistant","content":[{"type":"text","text":"a"},{"type":"refusal",)"
           R"("refusal":"b"}],"refusal":"c","reasoning_content":"hm","audio":{"id":"au"}})");
  const auto& parts = conversation.messages.at(0).parts;
  ASSERT_EQ(parts.size(), 5u);
  const Kind kinds[] = {Kind::Thinking, Kind::Text, Kind::Refusal, Kind::Refusal, Kind::Audio};
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(parts[i].kind, kinds[i]) << i;
  EXPECT_EQ(parts[0].text, "hm");
  EXPECT_EQ(parts[4].file_id, "au");
}

TEST(OpenAiConversation, TR_7_CacheMarkersOfEitherFormAreKept) {
  EXPECT_EQ(
      only_part(R"({"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}})")
          .cache_control,
      R"({"type":"ephemeral","ttl":"1h"})");
  const Conversation conversation =
      with(R"({"role":"user","content":[{"type":"text","text":"a",)"
           R"("prompt_cache_breakpoint":{"mode":"explicit","ttl":"30m"}}]})",
           R"(,"prompt_cache_key":"k")");
  EXPECT_EQ(conversation.messages.at(0).parts.at(0).cache_control, R"({"type":"ephemeral"})");
  EXPECT_EQ(conversation.prompt_cache_key, "k");
  EXPECT_EQ(conversation.unmapped, std::vector<std::string>{"prompt_cache_breakpoint.ttl"});
}

TEST(OpenAiConversation, ToolsOfEveryKindAndTheirChoice) {
  const Conversation conversation = fields(
      R"("tools":[{"type":"function","function":{"name":"f","description":"d","strict":true}},)"
      R"({"type":"custom","custom":{"name":"g","format":{"type":"grammar"}}},)"
      R"({"type":"web_search","size":1}],"tool_choice":"required","parallel_tool_calls":false)");
  ASSERT_EQ(conversation.tools.size(), 3u);
  EXPECT_EQ(conversation.tools[0].description, "d");
  EXPECT_EQ(conversation.tools[0].strict, true);
  EXPECT_EQ(conversation.tools[0].parameters, "");
  EXPECT_TRUE(conversation.tools[1].custom);
  EXPECT_EQ(conversation.tools[2].json, R"({"type":"web_search","size":1})");
  EXPECT_EQ(conversation.tool_choice.kind, ToolChoice::Kind::Required);
  EXPECT_EQ(conversation.parallel_tool_calls, false);
  EXPECT_EQ(conversation.unmapped, std::vector<std::string>{"tools.custom.format"});
}

TEST(OpenAiConversation, AllowedToolsLeaveOnlyThose) {
  const Conversation conversation = fields(
      R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[)"
      R"({"type":"function","function":{"name":"b"}}]}},"tools":[)"
      R"({"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}])");
  ASSERT_EQ(conversation.tools.size(), 1u);
  EXPECT_EQ(conversation.tools[0].name, "b");
  EXPECT_EQ(conversation.tool_choice.kind, ToolChoice::Kind::Required);
}

TEST(OpenAiConversation, TR_2_EitherNameOfTheOutputLimitIsRead) {
  EXPECT_EQ(fields(R"("max_tokens":5)").max_output_tokens, 5);
  EXPECT_EQ(fields(R"("max_completion_tokens":6)").max_output_tokens, 6);
  EXPECT_EQ(fields(R"("max_completion_tokens":6,"max_tokens":5)").max_output_tokens, 6);
  EXPECT_EQ(fields(R"("max_tokens":5,"max_completion_tokens":6)").max_output_tokens, 6);
}

TEST(OpenAiConversation, SamplingAndTheRestOfTheFields) {
  const Conversation conversation = fields(
      R"("temperature":0.5,"top_p":0.9,"top_k":40,"frequency_penalty":-1,"presence_penalty":1.5,)"
      R"("seed":7,"n":2,"stop":["a","b"],"stream":true,"reasoning_effort":"high","user":"u",)"
      R"("safety_identifier":"s","service_tier":"flex","response_format":{"type":"json_schema",)"
      R"("json_schema":{"name":"n","schema":{"type":"object"},"strict":true}})");
  EXPECT_EQ(conversation.temperature, 0.5);
  EXPECT_EQ(conversation.top_p, 0.9);
  EXPECT_EQ(conversation.top_k, 40);
  EXPECT_EQ(conversation.frequency_penalty, -1);
  EXPECT_EQ(conversation.presence_penalty, 1.5);
  EXPECT_EQ(conversation.seed, 7);
  EXPECT_EQ(conversation.choices, 2);
  EXPECT_EQ(conversation.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(conversation.stream);
  EXPECT_EQ(conversation.reasoning.effort, "high");
  EXPECT_EQ(conversation.user, "s");
  EXPECT_EQ(conversation.service_tier, "flex");
  EXPECT_EQ(conversation.format.kind, chat::Format::Kind::JsonSchema);
  EXPECT_EQ(conversation.format.schema, R"({"type":"object"})");
  EXPECT_EQ(conversation.format.strict, true);
  EXPECT_TRUE(conversation.unmapped.empty());
  EXPECT_EQ(fields(R"("stop":"x")").stop, std::vector<std::string>{"x"});
}

TEST(OpenAiConversation, TR_3_WhatHasNoMemberIsNamedUnlessItAsksForNothing) {
  EXPECT_EQ(fields(R"("logprobs":true,"top_logprobs":2,"audio":{"voice":"v"},"zebra":1)").unmapped,
            (std::vector<std::string>{"logprobs", "top_logprobs", "audio", "zebra"}));
  EXPECT_TRUE(fields(R"("logprobs":false,"store":false,"metadata":{},"audio":null,)"
                     R"("modalities":["text"],"verbosity":"medium","stream":true,)"
                     R"("stream_options":{"include_usage":true,"include_obfuscation":false})")
                  .unmapped.empty());
}

TEST(OpenAiConversation, AnEscapedNameIsTheNameItStandsFor) {
  EXPECT_EQ(fields(R"("s\u0065ed":7)").seed, 7);
}

TEST(OpenAiConversation, WhatNobodyCanReadIsRefusedWithItsPlace) {
  EXPECT_EQ(refused_at(R"({"role":"robot","content":"a"})"), "messages[0]");
  EXPECT_EQ(refused_at(R"({"role":"user","content":"a"},{"role":"tool","content":"a"})"),
            "messages[1]");
  EXPECT_EQ(refused_at(R"({"role":"user","content":[{"type":"image_url","image_url":{}}]})"),
            "messages[0].content[0]");
  EXPECT_EQ(refused_at(R"({"role":"user","content":[{"type":"file","file":{}}]})"),
            "messages[0].content[0]");
  EXPECT_EQ(refused_at(R"({"role":"assistant","tool_calls":[{"id":"a"}]})"),
            "messages[0].tool_calls[0]");
  const std::string hi = R"({"role":"user","content":"a"})";
  EXPECT_EQ(refused_at(hi, R"(,"tools":[{"type":"function"}])"), "tools[0]");
  EXPECT_EQ(refused_at(hi, R"(,"tool_choice":"maybe")"), "tool_choice");
  EXPECT_EQ(refused_at(hi, R"(,"tool_choice":{"type":"function"})"), "tool_choice");
  EXPECT_EQ(refused_at(hi, R"(,"response_format":{"type":"xml"})"), "response_format");
  EXPECT_EQ(refused_at(hi, R"(,"stop":[1])"), "stop[0]");
  EXPECT_EQ(refused_at(hi, R"(,"temperature":3)"), "temperature");
}

}  // namespace
}  // namespace sluice::openai
