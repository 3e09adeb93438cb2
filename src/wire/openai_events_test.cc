#include "wire/openai_events.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "wire/json.h"
#include "wire/openai_events_test_support.h"

namespace sluice::openai {
namespace {

using chat::AnswerEvent;
using Kind = AnswerEvent::Kind;

constexpr StreamOptions kOptions{.id = "chatcmpl-g", .model = "g/m", .created = 9};

std::string chunk(const std::string& delta, const std::string& finish = "null") {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m",)"
         R"("choices":[{"index":0,"delta":{)" +
         delta + R"(},"finish_reason":)" + finish + "}]}\n\n";
}
std::string call(int index, const std::string& name, const std::string& arguments) {
  return chunk(fmt::format(
      R"("tool_calls":[{{"index":{0},"id":"call_{0}","type":"function","function":{{"name":"{1}","arguments":{2}}}}}])",
      index, name, shown::quote(arguments)));
}
std::string more(int index, const std::string& arguments) {
  return chunk(fmt::format(R"("tool_calls":[{{"index":{},"function":{{"arguments":{}}}}}])", index,
                           shown::quote(arguments)));
}

shown::EventRun run(const std::string& stream, bool asked = false) {
  EventReader reader(kOptions);
  StreamOptions options = kOptions;
  options.asked_usage = asked;
  EventWriter writer(options);
  return shown::run_events(stream, stream.size(), reader, writer);
}

AnswerEvent event(Kind kind, std::string text = "") {
  AnswerEvent event;
  event.kind = kind;
  event.text = std::move(text);
  return event;
}
AnswerEvent tool_call(std::string id, std::string name, bool custom = false) {
  AnswerEvent event;
  event.kind = Kind::ToolCall;
  event.id = std::move(id);
  event.name = std::move(name);
  event.custom = custom;
  return event;
}

std::string write(const std::vector<AnswerEvent>& events, bool asked = false) {
  StreamOptions options = kOptions;
  options.asked_usage = asked;
  EventWriter writer(options);
  std::string out;
  for (const AnswerEvent& entry : events) writer.write(entry, out);
  return out;
}

TEST(OpenAiEvents, SSE_2_ACallThatIsOverMakesRoomForTheNextAtOnce) {
  EXPECT_EQ(run(call(0, "a", "{\"x\":") + more(0, "1}") + call(1, "b", "{}")).text,
            "start id=c1 model=m created=1\n"
            "call id=call_0 name=a\narguments \"{\\\"x\\\":\"\narguments \"1}\"\n"
            "call id=call_1 name=b\narguments \"{}\"\nCUT SHORT\n");
}

TEST(OpenAiEvents, SSE_2_InterleavedCallsAreToldOneAfterAnother) {
  const std::string text = run(call(0, "a", "{") + call(1, "b", "{") + more(1, "}") + more(0, "}") +
                               chunk("", R"("tool_calls")"))
                               .text;
  EXPECT_EQ(text,
            "start id=c1 model=m created=1\n"
            "call id=call_0 name=a\narguments \"{\"\narguments \"}\"\n"
            "call id=call_1 name=b\narguments \"{}\"\n"
            "finish tool_calls \"tool_calls\"\nend\n");
}

TEST(OpenAiEvents, SSE_2_TextBetweenFragmentsOfACallWaits) {
  const std::string text =
      run(call(0, "a", "{") + chunk(R"("content":"so ")") + chunk(R"("content":"far")") +
          more(0, "}") + call(1, "b", "{}") + chunk("", R"("tool_calls")"))
          .text;
  EXPECT_EQ(text,
            "start id=c1 model=m created=1\n"
            "call id=call_0 name=a\narguments \"{\"\narguments \"}\"\ntext \"so far\"\n"
            "call id=call_1 name=b\narguments \"{}\"\n"
            "finish tool_calls \"tool_calls\"\nend\n");
}

TEST(OpenAiEvents, ABraceInsideAStringEndsNoCall) {
  const std::string text =
      run(call(0, "a", R"({"x":"\"}")") + call(1, "b", "{}") + more(0, "}") + "data: [DONE]\n\n")
          .text;
  EXPECT_LT(text.find(R"(arguments "}")"), text.find("name=b")) << text;
}

TEST(OpenAiEvents, ACallThatGoesOnAfterItsEndFailsTheStream) {
  const std::string stream = call(0, "a", "{}") + call(1, "b", "{}");
  EXPECT_NE(run(stream + more(0, " \n")).text.find("CUT SHORT"), std::string::npos);
  EXPECT_NE(run(stream + more(0, "{}")).text.find("FAILED upstream_bad_reply"), std::string::npos);
}

TEST(OpenAiEvents, AG_9_ReasoningSaidTwiceIsToldOnce) {
  const std::string text =
      run(chunk(R"("reasoning":"hm","reasoning_content":"hm")") + "data: [DONE]\n\n").text;
  EXPECT_EQ(text, "start id=c1 model=m created=1\nthinking \"hm\"\nfinish unknown \"\"\nend\n");
}

TEST(OpenAiEvents, TheDeprecatedFunctionCallIsACall) {
  const std::string text =
      run(chunk(R"("function_call":{"name":"f","arguments":""})") +
          chunk(R"("function_call":{"arguments":"{}"})") + chunk("", R"("function_call")"))
          .text;
  EXPECT_EQ(text,
            "start id=c1 model=m created=1\ncall id=call_0 name=f\narguments \"{}\"\n"
            "finish tool_calls \"function_call\"\nend\n");
}

TEST(OpenAiEvents, OtherChoicesThanTheFirstAreNotTold) {
  const std::string second =
      R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m",)"
      R"("choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]})"
      "\n\n";
  EXPECT_EQ(run(second + "data: [DONE]\n\n").text,
            "start id=c1 model=m created=1\ntext \"a\"\nfinish unknown \"\"\nend\n");
}

TEST(OpenAiEvents, AStreamOfNothingButDoneStartsUnderTheGatewaysNames) {
  EXPECT_EQ(run("data: [DONE]\n\n").text,
            "start id=chatcmpl-g model=g/m created=9\nfinish unknown \"\"\nend\n");
}

TEST(OpenAiEvents, AnErrorInTheStreamFailsItWithItsWords) {
  EXPECT_EQ(run(chunk(R"("content":"a")") +
                R"(data: {"error":{"message":"busy","type":"server_error","code":"overloaded"}})"
                "\n\n")
                .text,
            "start id=c1 model=m created=1\ntext \"a\"\nFAILED upstream_overloaded \"busy\"\n");
}

TEST(OpenAiEventWriter, SSE_3_SSE_8_RoleFirstOneHeadAndOneDone) {
  AnswerEvent start = event(Kind::Start);
  start.id = "x1";
  AnswerEvent finish = event(Kind::Finish, "end_turn");
  finish.finish = chat::Finish::Stop;
  const std::string head =
      R"(data: {"id":"x1","object":"chat.completion.chunk","created":9,"model":"g/m","choices":[)"
      R"({"index":0,"delta":)";
  const std::string tail = R"(,"logprobs":null,"finish_reason":null}]})"
                           "\n\n";
  EXPECT_EQ(write({start, event(Kind::Text, "Hi"), event(Kind::Signature, "s"), finish,
                   event(Kind::End)}),
            head + R"({"role":"assistant","content":"","refusal":null})" + tail + head +
                R"({"content":"Hi"})" + tail + head +
                R"({},"logprobs":null,"finish_reason":"stop"}]})"
                "\n\ndata: [DONE]\n\n");
}

TEST(OpenAiEventWriter, COST_3_UsageComesOnceAndOnlyToAClientThatAsked) {
  AnswerEvent usage = event(Kind::Usage);
  usage.usage =
      chat::Usage{.plain_input = 3, .cache_read = 2, .cache_write = 4, .visible_output = 5};
  const std::vector<AnswerEvent> events = {event(Kind::Start), usage, usage, event(Kind::End)};
  EXPECT_EQ(write(events).find("usage"), std::string::npos);
  const std::string asked = write(events, true);
  EXPECT_NE(asked.find(R"("choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,)"
                       R"("total_tokens":14,"prompt_tokens_details":{"cached_tokens":2,)"),
            std::string::npos)
      << asked;
  EXPECT_EQ(asked.find("prompt_tokens\""), asked.rfind("prompt_tokens\""));
}

TEST(OpenAiEventWriter, SSE_2_CallsAreNumberedFromZeroAndNeverLackArguments) {
  const std::string out = write({event(Kind::Start), tool_call("a", "f"), tool_call("b", "g", true),
                                 event(Kind::Arguments, "text"), event(Kind::End)});
  EXPECT_NE(
      out.find(
          R"([{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}])"),
      std::string::npos);
  EXPECT_NE(out.find(R"([{"index":0,"function":{"arguments":"{}"}}])"), std::string::npos);
  EXPECT_NE(out.find(R"([{"index":1,"id":"b","type":"custom","custom":{"name":"g","input":""}}])"),
            std::string::npos);
  EXPECT_NE(out.find(R"([{"index":1,"custom":{"input":"text"}}])"), std::string::npos);
}

TEST(OpenAiEventWriter, TR_11_AFinishWithoutAWordOfOursKeepsItsOwn) {
  const std::string out =
      write({event(Kind::Start), event(Kind::Finish, "tired"), event(Kind::End)});
  EXPECT_NE(out.find(R"("finish_reason":"tired","native_finish_reason":"tired")"),
            std::string::npos);
}

TEST(OpenAiEventWriter, KA_2_AnEmptyEventIsAChunkOfThisStream) {
  EventWriter writer(kOptions);
  EXPECT_EQ(writer.empty_event(), "");
  std::string out;
  writer.write(event(Kind::Start), out);
  EXPECT_EQ(
      writer.empty_event(),
      R"(data: {"id":"chatcmpl-g","object":"chat.completion.chunk","created":9,"model":"g/m",)"
      R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}]})"
      "\n\n");
}

}  // namespace
}  // namespace sluice::openai
