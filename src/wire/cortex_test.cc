#include "wire/cortex.h"

#include <gtest/gtest.h>
#include <string>

#include "wire/openai_conversation.h"
#include "wire/openai_events.h"
#include "wire/openai_events_test_support.h"

namespace sluice::cortex {
namespace {

using chat::Conversation;
using chat::TargetTraits;
using Names = std::vector<std::string>;

constexpr TargetTraits kClaude{.model = "claude-sonnet-4-5", .default_max_output = 8192};
constexpr int64_t kMaxTokens = 100;

Conversation talk(const std::string& messages, const std::string& fields = "") {
  Result<Conversation> conversation =
      openai::read_conversation(R"({"model":"m","messages":[)" + messages + "]" + fields + "}");
  EXPECT_TRUE(conversation) << (conversation ? "" : conversation.error().message());
  return conversation ? std::move(*conversation) : Conversation();
}
chat::Translated write(const Conversation& conversation, const TargetTraits& traits = kClaude) {
  Result<chat::Translated> out = write_complete_request(conversation, traits);
  EXPECT_TRUE(out) << (out ? "" : out.error().message());
  return out ? std::move(*out) : chat::Translated();
}
std::string messages(const std::string& from) {
  const std::string head = R"({"model":"claude-sonnet-4-5","messages":[)";
  const std::string tail = R"(],"max_tokens":8192,"stream":false})";
  const std::string body = write(talk(from)).body;
  EXPECT_TRUE(body.starts_with(head) && body.ends_with(tail)) << body;
  return body.substr(head.size(), body.size() - head.size() - tail.size());
}
chat::Translated fields(const std::string& more, const TargetTraits& traits = kClaude) {
  chat::Translated out = write(talk(R"({"role":"user","content":"Hi"})", "," + more), traits);
  out.body.erase(0, out.body.find(']') + 2);
  return out;
}

std::string answer(const std::string& body) {
  const Result<chat::Answer> read = read_answer(body, kMaxTokens);
  if (read) return shown::show(*read);
  return std::string(name_of(read.error().outcome())) + ": " + read.error().message();
}
std::string event(const std::string& delta, const std::string& usage = "{}") {
  return R"(data: {"id":"c1","model":"m","choices":[{"delta":{)" + delta + R"(}}],"usage":)" +
         usage + "}\n\n";
}
constexpr const char* kUsage = R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})";
std::string run(const std::string& stream) {
  constexpr chat::StreamOptions kOptions{.id = "chatcmpl-g", .model = "g/m", .created = 9};
  EventReader reader(kOptions, kMaxTokens);
  openai::EventWriter writer(kOptions);
  return shown::run_events(stream, stream.size(), reader, writer).text;
}

TEST(CortexRequest, TR_9_RolesAlternateAndSystemComesFirst) {
  EXPECT_EQ(messages(R"({"role":"system","content":"a"},{"role":"developer","content":"b"},)"
                     R"({"role":"user","content":"c"},{"role":"user","content":"d"},)"
                     R"({"role":"assistant","content":"e"},{"role":"assistant","content":"f"},)"
                     R"({"role":"system","content":"g"},{"role":"user","content":"h"})"),
            R"({"role":"system","content":"a\n\nb"},{"role":"user","content":"c\n\nd"},)"
            R"({"role":"assistant","content":"e\n\nf"},{"role":"user","content":"g\n\nh"})");
}

TEST(CortexRequest, TR_9_ATrailingAssistantTurnIsRefused) {
  const Result<chat::Translated> out = write_complete_request(
      talk(R"({"role":"user","content":"a"},{"role":"assistant","content":"b"})"), kClaude);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().outcome(), Outcome::BadRequest);
  EXPECT_EQ(out.error().param(), "messages");
}

TEST(CortexRequest, TR_10_CallsAndTheirResultsStandInContentLists) {
  EXPECT_EQ(
      messages(R"({"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[)"
               R"({"id":"x","type":"function","function":{"name":"f","arguments":"{\"k\": 1}"}},)"
               R"({"id":"y","type":"function","function":{"name":"g","arguments":""}}]},)"
               R"({"role":"tool","tool_call_id":"y","content":"2"},)"
               R"({"role":"tool","tool_call_id":"x","content":""},)"
               R"({"role":"user","content":"so?"})"),
      R"({"role":"user","content":"a"},{"role":"assistant","content_list":[)"
      R"({"type":"tool_use","tool_use":{"tool_use_id":"x","name":"f","input":{"k": 1}}},)"
      R"({"type":"tool_use","tool_use":{"tool_use_id":"y","name":"g","input":{}}}]},)"
      R"({"role":"user","content_list":[)"
      R"({"type":"tool_results","tool_results":{"tool_use_id":"y","name":"g",)"
      R"("content":[{"type":"text","text":"2"}]}},)"
      R"({"type":"tool_results","tool_results":{"tool_use_id":"x","name":"f",)"
      R"("content":[{"type":"text","text":""}]}},{"type":"text","text":"so?"}]})");
}

TEST(CortexRequest, ImagesAreSentAsDataAndNamedWhereTheyAreUrls) {
  EXPECT_EQ(messages(R"({"role":"user","content":[{"type":"image_url","image_url":)"
                     R"({"url":"data:image/png;base64,AAAA","detail":"low"}}]})"),
            R"({"role":"user","content_list":[{"type":"image","details":{"type":"base64",)"
            R"("content":"AAAA","content_type":"image/png","detail":"low"}}]})");
  const chat::Translated out =
      write(talk(R"({"role":"user","content":[{"type":"text","text":"a"},)"
                 R"({"type":"image_url","image_url":{"url":"https://a/b"}}]})"));
  EXPECT_EQ(out.dropped, Names{"messages.content (image)"});
}

TEST(CortexRequest, ToolsAndTheirChoice) {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f",)"
                            R"("description":"d","strict":true,"parameters":{"type":"object"}}},)"
                            R"({"type":"function","function":{"name":"g"}}])";
  const std::string written =
      R"("tools":[{"tool_spec":{"type":"generic","name":"f","description":"d",)"
      R"("input_schema":{"type":"object"}}},{"tool_spec":{"type":"generic","name":"g",)"
      R"("input_schema":{"type":"object","properties":{}}}}])";
  const std::string tail = R"(,"max_tokens":8192,"stream":false})";
  EXPECT_EQ(fields(tools).body, written + tail);
  EXPECT_EQ(fields(tools).dropped, Names{"tools.strict"});
  EXPECT_EQ(fields(tools + R"(,"tool_choice":"required")").body,
            written + R"(,"tool_choice":{"type":"required"})" + tail);
  EXPECT_EQ(fields(tools + R"(,"tool_choice":{"type":"function","function":{"name":"g"}})").body,
            written + R"(,"tool_choice":{"type":"tool","name":["g"]})" + tail);
  EXPECT_EQ(fields(tools + R"(,"tool_choice":"none")").body, tail.substr(1));
}

TEST(CortexRequest, TR_4_ASchemaIsTheResponseFormat) {
  EXPECT_EQ(fields(R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
                   R"("schema":{"type":"object"},"strict":true}})")
                .body,
            R"("max_tokens":8192,"response_format":{"type":"json","schema":{"type":"object"}},)"
            R"("stream":false})");
}

TEST(CortexRequest, TR_3_EverythingWithoutAPlaceIsNamed) {
  const chat::Translated out = fields(
      R"("seed":1,"n":2,"stop":"x","user":"u","logprobs":true,"temperature":1.5,"top_k":4,)"
      R"("frequency_penalty":1,"presence_penalty":0,"service_tier":"flex","prompt_cache_key":"k",)"
      R"("stream":true,"max_tokens":7)");
  EXPECT_EQ(out.body, R"("max_tokens":7,"temperature":1,"stream":true})");
  EXPECT_EQ(out.dropped, (Names{"logprobs", "temperature (above 1)", "top_k", "frequency_penalty",
                                "seed", "n", "stop", "user", "service_tier", "prompt_cache_key"}));
}

TEST(CortexRequest, ReasoningIsAskedForAsTheModelWantsIt) {
  const auto body = [](const std::string& more, std::string_view model) {
    const std::string tail = fields(more, {.model = model}).body;
    return tail.substr(0, tail.find(",\"stream\""));
  };
  const std::string high = R"("reasoning_effort":"high")";
  EXPECT_EQ(body(high + R"(,"max_tokens":50000)", "claude-4-sonnet"),
            R"("max_tokens":50000,"anthropic":{"thinking":{"budget_tokens":16384}})");
  EXPECT_EQ(body(high, "claude-4-sonnet"),
            R"("max_tokens":4096,"anthropic":{"thinking":{"budget_tokens":4095}})");
  EXPECT_EQ(body(high, "openai-gpt-5"),
            R"("max_tokens":4096,"openai":{"reasoning":{"effort":"high"}})");
  EXPECT_EQ(fields(high, {.model = "mistral-large2"}).dropped, Names{"reasoning"});
  EXPECT_EQ(fields(high + R"(,"max_tokens":100)").dropped, Names{"reasoning"});
}

TEST(CortexAnswer, TextAndUsage) {
  EXPECT_EQ(
      answer(
          R"({"choices":[{"message":{"content":"Hi","content_list":[{"type":"text","text":"Hi"}]}}],)"
          R"("usage":{"prompt_tokens":10,"completion_tokens":2,"guard_tokens":3,"total_tokens":15,)"
          R"("cache_read_input_tokens":4,"cache_write_input_tokens":1}})"),
      "id= model= created=0\ntext \"Hi\"\nfinish stop \"\"\n"
      "usage plain_input=8 cache_read=4 cache_write=1 audio_input=0 visible_output=2 reasoning=0 "
      "audio_output=0\n");
}

TEST(CortexAnswer, TOK_1_CachedTokensBesideThePromptAreAddedOnce) {
  EXPECT_NE(answer(R"({"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":10,)"
                   R"("completion_tokens":2,"total_tokens":17,"cache_read_input_tokens":5}})")
                .find("plain_input=10 cache_read=5"),
            std::string::npos);
}

TEST(CortexAnswer, CallsAndReasoningStandInTheList) {
  EXPECT_EQ(
      answer(
          R"({"choices":[{"message":{"content":"Hi","content_list":[)"
          R"({"type":"thinking","thinking":"hm"},{"type":"text","text":"Hi"},)"
          R"({"type":"tool_use","tool_use":{"tool_use_id":"x","name":"f","input":{"k":1}}}]}}]})"),
      "id= model= created=0\nthinking \"hm\"\ntext \"Hi\"\n"
      "call id=x name=f arguments=\"{\\\"k\\\":1}\"\nfinish tool_calls \"\"\nusage none\n");
}

TEST(CortexAnswer, TR_11_AnAnswerOfAllItsTokensEndedForItsLength) {
  const auto finish = [](const std::string& word, int tokens) {
    const std::string text = answer(R"({"choices":[{"message":{"content":"a"})" + word +
                                    R"(}],"usage":{"prompt_tokens":1,"completion_tokens":)" +
                                    std::to_string(tokens) + "}}");
    const size_t begin = text.find("finish ") + 7;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_EQ(finish("", 99), "stop \"\"");
  EXPECT_EQ(finish("", 100), "length \"\"");
  EXPECT_EQ(finish(R"(,"finish_reason":"end_turn")", 100), "stop \"\"");
  EXPECT_EQ(finish(R"(,"finish_reason":"tired")", 100), "unknown \"tired\"");
}

TEST(CortexAnswer, ErrorsAndGarbage) {
  EXPECT_EQ(answer(R"({"message":"unknown model","code":"390142","request_id":"r"})"),
            "upstream_error: unknown model");
  EXPECT_EQ(answer(R"({"error":{"message":"slow","code":"429"}})"), "upstream_rate_limit: slow");
  EXPECT_EQ(answer("<html>"), "upstream_bad_reply: the upstream's reply is not a JSON object");
  EXPECT_EQ(answer(R"({"choices":[]})"),
            "upstream_bad_reply: the upstream's reply has no choice in `choices`");
}

TEST(CortexEvents, TextEndsCompleteWithUsageInTheLastEvent) {
  EXPECT_EQ(run(event(R"("type":"text","content":"Hel","content_list":[{"type":"text",)"
                      R"("text":"Hel"}],"text":"Hel")") +
                event(R"("type":"text","content":"lo")", kUsage)),
            "start id=c1 model=m created=9\ntext \"Hel\"\ntext \"lo\"\nfinish stop \"\"\n"
            "usage plain_input=3 cache_read=0 cache_write=0 audio_input=0 visible_output=2 "
            "reasoning=0 audio_output=0\nend\n");
}

TEST(CortexEvents, FB_4_WithoutUsageInTheLastEventItWasCutShort) {
  EXPECT_EQ(run(event(R"("type":"text","content":"a")")),
            "start id=c1 model=m created=9\ntext \"a\"\nCUT SHORT\n");
  EXPECT_NE(
      run(event(R"("type":"text","content":"a")", kUsage) + event(R"("type":"text","content":"b")"))
          .find("CUT SHORT"),
      std::string::npos);
  EXPECT_EQ(run(""), "CUT SHORT\n");
}

TEST(CortexEvents, TR_10_CallsBeginWithTheirNameAndGoOnInFragments) {
  EXPECT_EQ(run(event(R"("type":"tool_use","tool_use_id":"x","name":"f","input":{})") +
                event(R"("type":"tool_use","input":"{\"k\":")") +
                event(R"("type":"tool_use","tool_use_id":"x","input":"1}")") +
                event(R"("type":"tool_use","tool_use_id":"y","name":"g")") +
                event(R"("type":"tool_use","input":"{}")", kUsage)),
            "start id=c1 model=m created=9\n"
            "call id=x name=f\narguments \"{\\\"k\\\":\"\narguments \"1}\"\n"
            "call id=y name=g\narguments \"{}\"\nfinish tool_calls \"\"\n"
            "usage plain_input=3 cache_read=0 cache_write=0 audio_input=0 visible_output=2 "
            "reasoning=0 audio_output=0\nend\n");
}

TEST(CortexEvents, AFragmentOfNoCallFailsTheStream) {
  EXPECT_NE(run(event(R"("type":"tool_use","input":"{}")")).find("FAILED upstream_bad_reply"),
            std::string::npos);
}

TEST(CortexEvents, ErrorsAndGarbageFailTheStream) {
  EXPECT_EQ(run("data: {\"message\":\"over\",\"code\":\"503\"}\n\n"),
            "FAILED upstream_overloaded \"over\"\n");
  EXPECT_NE(run("data: {\"choices\":[\n\n").find("FAILED upstream_bad_reply"), std::string::npos);
  EXPECT_EQ(run("data: {}\n\n"), "CUT SHORT\n");
}

}  // namespace
}  // namespace sluice::cortex
