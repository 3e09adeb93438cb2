// Streams whose golden files could not say enough: what is held, what is sent, who fills in.
#include "wire/anthropic_stream.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "wire/anthropic_answer_stream.h"
#include "wire/anthropic_conversation.h"
#include "wire/sse.h"

namespace sluice {
namespace {

using Kind = chat::StreamEvent::Kind;
using chat::AnswerEvent;

constexpr std::string_view kStart =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","
    "\"model\":\"claude\",\"content\":[],\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n";
constexpr std::string_view kBlock =
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";

std::string text_delta(const std::string& json) {
  return "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
         "\"delta\":{\"type\":\"text_delta\",\"text\":" +
         json + "}}\n\n";
}

struct Feed {
  anthropic::StreamReader reader;
  sse::Parser parser;
  std::string scratch;

  chat::StreamEvent operator()(const std::string& bytes) {
    parser.feed(bytes);
    sse::Event event;
    chat::StreamEvent out;
    while (parser.next(&event) == sse::Step::Event) out = reader.take(event, scratch);
    out.bytes = {};
    return out;
  }
};

TEST(AnthropicStream, FB_8_NothingBeforeTheFirstVisibleByteIsContent) {
  Feed feed;
  EXPECT_EQ(feed(std::string(kStart)).kind, Kind::Preamble);
  EXPECT_EQ(feed("event: ping\ndata: {\"type\":\"ping\"}\n\n").kind, Kind::Preamble);
  EXPECT_EQ(feed(std::string(kBlock)).kind, Kind::Preamble);
  EXPECT_EQ(feed(text_delta("\"\"")).kind, Kind::Preamble);
  EXPECT_FALSE(feed.reader.saw_content());
  EXPECT_TRUE(feed(text_delta("\"x\"")).content);
  EXPECT_TRUE(feed.reader.saw_content());
}

TEST(AnthropicStream, FB_4_AStreamThatStopsAfterItsUsageIsNotComplete) {
  Feed feed;
  feed(std::string(kStart));
  feed(std::string(kBlock));
  feed(text_delta("\"x\""));
  feed(
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
      "\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\n");
  EXPECT_FALSE(feed.reader.finish(feed.scratch).complete);
  feed("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
  EXPECT_TRUE(feed.reader.finish(feed.scratch).complete);
  EXPECT_EQ(feed.reader.usage()->output(), 9);
}

TEST(AnthropicAnswer, COST_6_UsageAmidABlockDoesNotEndIt) {
  anthropic::EventReader reader;
  sse::Parser parser;
  const std::string bytes =
      std::string(kStart) + std::string(kBlock) + text_delta("\"a\"") +
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":"
      "{\"output_tokens\":1}}\n\n" +
      text_delta("\"b\"");
  parser.feed(bytes);
  std::string text;
  sse::Event event;
  while (parser.next(&event) == sse::Step::Event) {
    std::vector<AnswerEvent> events;
    ASSERT_TRUE(reader.take(event, events));
    for (const AnswerEvent& one : events) {
      if (one.kind == AnswerEvent::Kind::Text) text += one.text;
    }
  }
  EXPECT_EQ(text, "ab");
}

TEST(AnthropicStream, KA_2_TheEventThatKeepsAStreamAliveIsAPingAfterTheStart) {
  Feed feed;
  EXPECT_EQ(feed.reader.empty_event(), "");
  feed(std::string(kStart));
  EXPECT_EQ(feed.reader.empty_event(), "event: ping\ndata: {\"type\": \"ping\"}\n\n");
}

TEST(AnthropicStream, ADeltaOfTheUsualShapeIsCheckedAsStrictlyAsAnyOther) {
  for (const std::string bad :
       {"\"x\"},\"a\":}", "\"\\x\"", "\"\\ud800\"", "7x", "\"\xff\"", "\"x", "\"x\"}}{"}) {
    Feed feed;
    feed(std::string(kStart));
    feed(std::string(kBlock));
    EXPECT_EQ(feed(text_delta(bad)).kind, Kind::Error) << bad;
    ASSERT_NE(feed.reader.error(), nullptr);
    EXPECT_EQ(feed.reader.error()->outcome, Outcome::UpstreamBadReply);
  }
}

TEST(AnthropicStream, OutputIsMeasuredWithoutItsEscapes) {
  Feed feed;
  feed(std::string(kStart));
  feed(std::string(kBlock));
  feed(text_delta(R"("a\n\u00fc")"));
  EXPECT_EQ(feed.reader.output_bytes(), 4);
}

std::string written(const std::vector<AnswerEvent>& events, const chat::StreamOptions& names) {
  anthropic::EventWriter writer(names);
  std::string out;
  for (const AnswerEvent& event : events) writer.write(event, out);
  return out;
}

AnswerEvent event(AnswerEvent::Kind kind, std::string text = "") {
  AnswerEvent out;
  out.kind = kind;
  out.text = std::move(text);
  return out;
}

AnswerEvent finish(chat::Finish how, std::string native) {
  AnswerEvent out = event(AnswerEvent::Kind::Finish, std::move(native));
  out.finish = how;
  return out;
}

constexpr chat::StreamOptions kNames{
    .endpoint = chat::Endpoint::Messages, .id = "msg_x", .model = "alias", .prompt_tokens = 42};

TEST(AnthropicWriter, AG_3_TheStartTellsAnEstimateAndTheEndTheCount) {
  AnswerEvent usage = event(AnswerEvent::Kind::Usage);
  usage.usage = chat::Usage{.plain_input = 40, .cache_read = 10, .visible_output = 7};
  const std::string out =
      written({event(AnswerEvent::Kind::Start), event(AnswerEvent::Kind::Text, "x"),
               finish(chat::Finish::Stop, "stop"), usage, event(AnswerEvent::Kind::End)},
              kNames);
  const std::string start = out.substr(0, out.find("\n\n"));
  EXPECT_NE(start.find(R"("id":"msg_x")"), std::string::npos) << start;
  EXPECT_NE(start.find(R"("input_tokens":42,)"), std::string::npos) << start;
  const std::string delta = out.substr(out.find("event: message_delta"));
  EXPECT_NE(delta.find(R"("input_tokens":40,)"), std::string::npos) << delta;
  EXPECT_NE(delta.find(R"("cache_read_input_tokens":10,)"), std::string::npos) << delta;
  EXPECT_NE(delta.find(R"("output_tokens":7,)"), std::string::npos) << delta;
  EXPECT_TRUE(out.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

TEST(AnthropicWriter, AG_3_AnEstimateIsNeverZero) {
  const std::string out =
      written({event(AnswerEvent::Kind::Start)}, {.id = "i", .model = "m", .prompt_tokens = 0});
  EXPECT_NE(out.find(R"("input_tokens":1,)"), std::string::npos) << out;
}

TEST(AnthropicWriter, TR_11_ARefusalAndAnUnknownReasonDoNotBecomeEndTurn) {
  const std::string refused =
      written({event(AnswerEvent::Kind::Start), event(AnswerEvent::Kind::Refusal, "No."),
               finish(chat::Finish::Stop, "stop"), event(AnswerEvent::Kind::End)},
              kNames);
  EXPECT_NE(refused.find(R"("text":"No.")"), std::string::npos) << refused;
  EXPECT_NE(refused.find(R"("stop_reason":"refusal")"), std::string::npos) << refused;
  const std::string unknown =
      written({event(AnswerEvent::Kind::Start), finish(chat::Finish::Unknown, "moon_phase"),
               event(AnswerEvent::Kind::End)},
              kNames);
  EXPECT_NE(unknown.find(R"("stop_reason":null,"stop_sequence":null,)"
                         R"("native_finish_reason":"moon_phase")"),
            std::string::npos)
      << unknown;
}

TEST(AnthropicWriter, ACallThatEndsWithStopStillAsksForItsResult) {
  AnswerEvent call = event(AnswerEvent::Kind::ToolCall);
  call.id = "call_1";
  call.name = "f";
  const std::string out =
      written({event(AnswerEvent::Kind::Start), call, event(AnswerEvent::Kind::Arguments, "{}"),
               finish(chat::Finish::Stop, "stop"), event(AnswerEvent::Kind::End)},
              kNames);
  EXPECT_NE(out.find(R"("stop_reason":"tool_use")"), std::string::npos) << out;
}

TEST(AnthropicWriter, PlainTextForAToolBecomesAnObject) {
  AnswerEvent call = event(AnswerEvent::Kind::ToolCall);
  call.id = "call_1";
  call.name = "sh";
  call.custom = true;
  const std::string out = written(
      {event(AnswerEvent::Kind::Start), call, event(AnswerEvent::Kind::Arguments, "echo \"a"),
       event(AnswerEvent::Kind::Arguments, "\" b"), finish(chat::Finish::ToolCalls, ""),
       event(AnswerEvent::Kind::End)},
      kNames);
  anthropic::EventReader reader;
  sse::Parser parser;
  parser.feed(out);
  sse::Event one;
  std::vector<AnswerEvent> events;
  while (parser.next(&one) == sse::Step::Event) ASSERT_TRUE(reader.take(one, events));
  std::string arguments;
  for (const AnswerEvent& read : events) {
    if (read.kind == AnswerEvent::Kind::Arguments) arguments += read.text;
  }
  EXPECT_EQ(arguments, R"({"input":"echo \"a\" b"})");
}

TEST(AnthropicWriter, SSE_8_ThereIsNoDoneAndNoStopForAnAnswerThatNeverEnded) {
  const std::string out =
      written({event(AnswerEvent::Kind::Start), event(AnswerEvent::Kind::Text, "x")}, kNames);
  EXPECT_EQ(out.find("message_stop"), std::string::npos);
  EXPECT_EQ(out.find("[DONE]"), std::string::npos);
}

TEST(AnthropicAnswer, AnAnswerWithoutUsageGetsAnEstimateAndBrokenArgumentsNone) {
  chat::Answer answer;
  chat::Part call;
  call.kind = chat::Part::Kind::ToolCall;
  call.id = "c";
  call.name = "f";
  call.arguments = "{\"cut";
  answer.parts.push_back(call);
  answer.finish = chat::Finish::ToolCalls;
  const std::string out = anthropic::write_answer(answer, kNames);
  EXPECT_NE(out.find(R"("input":{})"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("input_tokens":42,)"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("model":"alias")"), std::string::npos) << out;
}

}  // namespace
}  // namespace sluice
