#include "wire/responses_stream.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "wire/responses.h"
#include "wire/sse.h"

namespace sluice::responses {
namespace {

using Kind = chat::StreamEvent::Kind;

// A reader and what came out of it.
class Stream {
 public:
  // An event as OpenAI sends it; `members` follow type and number.
  chat::StreamEvent feed(const std::string& type, const std::string& members = "") {
    return feed_raw("event: " + type + "\ndata: {\"type\":\"" + type +
                    "\",\"sequence_number\":" + std::to_string(next_++) + members + "}\n\n");
  }
  chat::StreamEvent feed_raw(const std::string& bytes) {
    raw_ = bytes;
    parser_ = sse::Parser();
    parser_.feed(raw_);
    sse::Event event;
    EXPECT_EQ(parser_.next(&event), sse::Step::Event);
    return reader_->take(event, scratch_);
  }
  bool untouched(const chat::StreamEvent& event) const { return event.bytes.data() == raw_.data(); }
  void replay() { reader_ = std::make_unique<StreamReader>(StreamReader::Of::Replay); }
  bool complete() { return reader_->finish(scratch_).complete; }
  const StreamReader& reader() const { return *reader_; }

 private:
  int next_ = 0;
  std::string raw_;
  std::string scratch_;
  sse::Parser parser_;
  std::unique_ptr<StreamReader> reader_ = std::make_unique<StreamReader>();
};

std::string response(const std::string& status, const std::string& more = "") {
  return R"(,"response":{"id":"resp_1","object":"response","status":")" + status +
         R"(","model":"gpt-x","output":[])" + more + "}";
}
const std::string kUsage =
    R"(,"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},)"
    R"("output_tokens":20,"output_tokens_details":{"reasoning_tokens":12},"total_tokens":29})";

TEST(ResponsesStream, AG_5_AReplayIsWhateverCameAndNoUsageOfItsRequest) {
  Stream stream;
  stream.replay();
  for (const char* type : {"response.created", "response.failed", "error", "response.completed"}) {
    const chat::StreamEvent event = stream.feed(type, response("failed", kUsage));
    EXPECT_TRUE(event.content && stream.untouched(event)) << type;
  }
  EXPECT_TRUE(stream.complete());
  EXPECT_FALSE(stream.reader().usage());
  EXPECT_EQ(stream.reader().response_id(), "");
  EXPECT_EQ(stream.reader().next_sequence(), 4);
  EXPECT_EQ(stream.feed_raw("data: {\n\n").kind, Kind::Error);
  EXPECT_FALSE(stream.complete());
}

TEST(ResponsesStream, FB_8_WhatOnlyAnnouncesIsNoContent) {
  Stream stream;
  const std::pair<std::string, std::string> cases[] = {
      {"response.created", response("in_progress")},
      {"response.in_progress", response("in_progress")},
      {"response.queued", response("queued")},
      {"response.output_item.added",
       R"(,"output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]})"},
      {"response.reasoning_summary_part.added",
       R"(,"summary_index":0,"part":{"type":"summary_text","text":""})"},
      {"response.output_item.done",
       R"(,"output_index":0,"item":{"type":"reasoning","id":"rs_1","encrypted_content":"gA"})"},
      {"response.output_item.added",
       R"(,"output_index":1,"item":{"type":"message","id":"msg_1","content":[]})"},
      {"response.content_part.added", R"(,"part":{"type":"output_text","text":""})"},
      {"response.output_item.added",
       R"(,"output_index":2,"item":{"type":"function_call","id":"fc_1","name":"f","arguments":""})"},
      {"response.output_text.delta", R"(,"delta":"")"},
      {"response.something.new", R"(,"anything":["x"])"},
  };
  for (const auto& [type, members] : cases) {
    const chat::StreamEvent event = stream.feed(type, members);
    EXPECT_EQ(event.kind, Kind::Preamble) << type;
    EXPECT_FALSE(event.content) << type;
    EXPECT_TRUE(stream.untouched(event)) << type;
  }
  EXPECT_FALSE(stream.reader().saw_content());
}

TEST(ResponsesStream, FB_8_WhatTheCallerWouldSeeIsContent) {
  const std::pair<std::string, std::string> cases[] = {
      {"response.output_text.delta", R"(,"delta":"a")"},
      {"response.refusal.delta", R"(,"delta":"a")"},
      {"response.reasoning_summary_text.delta", R"(,"delta":"a")"},
      {"response.reasoning_text.delta", R"(,"delta":"a")"},
      {"response.function_call_arguments.delta", R"(,"delta":"{")"},
      {"response.custom_tool_call_input.delta", R"(,"delta":"a")"},
      {"response.audio.delta", R"(,"delta":"UklG")"},
      {"response.output_text.done", R"(,"text":"a")"},
      {"response.output_item.added",
       R"(,"item":{"type":"web_search_call","id":"ws_1","status":"in_progress"})"},
      {"response.output_item.done",
       R"(,"item":{"type":"function_call","id":"fc_1","name":"now","arguments":""})"},
  };
  for (const auto& [type, members] : cases) {
    Stream stream;
    const chat::StreamEvent event = stream.feed(type, members);
    EXPECT_EQ(event.kind, Kind::Content) << type;
    EXPECT_TRUE(event.content) << type;
    EXPECT_TRUE(stream.untouched(event)) << type;
    EXPECT_TRUE(stream.reader().saw_content());
  }
}

TEST(ResponsesStream, COST_8_UsageIsReadFromInsideTheResponseThatEndsTheStream) {
  for (const std::string status : {"completed", "incomplete"}) {
    Stream stream;
    stream.feed("response.created", response("in_progress", R"(,"usage":null)"));
    const chat::StreamEvent event = stream.feed("response." + status, response(status, kUsage));
    EXPECT_EQ(event.kind, Kind::Done);
    EXPECT_TRUE(event.content);
    EXPECT_TRUE(stream.untouched(event));
    EXPECT_TRUE(stream.complete());
    ASSERT_TRUE(stream.reader().usage().has_value());
    EXPECT_EQ(stream.reader().usage()->plain_input, 5);
    EXPECT_EQ(stream.reader().usage()->cache_read, 4);
    EXPECT_EQ(stream.reader().usage()->visible_output, 8);
    EXPECT_EQ(stream.reader().usage()->reasoning, 12);
  }
}

TEST(ResponsesStream, AFailedResponseIsAnErrorAndItsUsageCounts) {
  Stream stream;
  const chat::StreamEvent event = stream.feed(
      "response.failed",
      response("failed", R"(,"error":{"code":"rate_limit_exceeded","message":"slow"})" + kUsage));
  EXPECT_EQ(event.kind, Kind::Error);
  EXPECT_TRUE(event.bytes.empty());
  ASSERT_NE(stream.reader().error(), nullptr);
  EXPECT_EQ(stream.reader().error()->outcome, Outcome::UpstreamRateLimit);
  EXPECT_EQ(stream.reader().error()->message, "slow");
  EXPECT_TRUE(stream.reader().usage().has_value());
  EXPECT_FALSE(stream.complete());
}

TEST(ResponsesStream, RET_3_ContextOverflowIsKnownByCodeAndByWords) {
  EXPECT_EQ(outcome_of_error("context_length_exceeded", "", ""), Outcome::ContextOverflow);
  EXPECT_EQ(outcome_of_error("invalid_value", "", "Your input exceeds the context window of this"),
            Outcome::ContextOverflow);
  EXPECT_EQ(outcome_of_error("image_content_policy_violation", "", ""), Outcome::ContentPolicy);
  EXPECT_EQ(outcome_of_error("invalid_image_url", "", ""), Outcome::UpstreamRejected);
  EXPECT_EQ(outcome_of_error("server_error", "", ""), Outcome::UpstreamError);
  EXPECT_EQ(outcome_of_error("", "", ""), Outcome::UpstreamError);
}

TEST(ResponsesStream, AnErrorEventIsAnErrorInEveryShapeThatIsSeen) {
  const std::string shapes[] = {
      "event: error\ndata: "
      "{\"type\":\"error\",\"code\":\"server_error\",\"message\":\"broke\"}\n\n",
      "event: error\ndata: "
      "{\"type\":\"error\",\"error\":{\"message\":\"broke\",\"code\":null}}\n\n",
      "data: {\"error\":{\"message\":\"broke\",\"type\":\"server_error\"}}\n\n",
      "data: {\"type\":\"error\",\"message\":\"broke\"}\n\n",
  };
  for (const std::string& shape : shapes) {
    Stream stream;
    EXPECT_EQ(stream.feed_raw(shape).kind, Kind::Error) << shape;
    EXPECT_EQ(stream.reader().error()->message, "broke") << shape;
  }
}

TEST(ResponsesStream, FB_4_WithoutATerminalEventTheStreamIsCutShort) {
  Stream stream;
  stream.feed("response.output_text.delta", R"(,"delta":"a")");
  stream.feed("response.output_item.done", R"(,"item":{"type":"message","id":"m","content":[]})");
  stream.feed_raw("data: [DONE]\n\n");
  EXPECT_FALSE(stream.complete());
}

TEST(ResponsesStream, AG_5_TellsTheNamesLaterRequestsMayReferTo) {
  Stream stream;
  stream.feed("response.created", response("in_progress"));
  for (const std::string id : {"rs_1", "fc_1"}) {
    stream.feed("response.output_item.added",
                R"(,"item":{"type":"function_call","id":")" + id + R"("})");
  }
  stream.feed("response.output_item.done", R"(,"item":{"type":"reasoning","id":"rs_1"})");
  EXPECT_EQ(stream.reader().response_id(), "resp_1");
  EXPECT_EQ(stream.reader().model(), "gpt-x");
  ASSERT_EQ(stream.reader().item_ids().size(), 2u);
  EXPECT_EQ(stream.reader().item_ids()[1], "fc_1");
}

TEST(ResponsesStream, AG_5_WhatOnlyItsMakerCanReadIsKnownWithoutAnId) {
  Stream stream;
  stream.feed(
      "response.output_item.done",
      R"(,"item":{"type":"reasoning","encrypted_content":"gA)" + std::string(500, 'x') + R"("})");
  ASSERT_EQ(stream.reader().item_ids().size(), 1u);
  EXPECT_EQ(stream.reader().item_ids()[0], "sealed:gA" + std::string(94, 'x'));
}

TEST(ResponsesStream, KeepsNoTextOfTheAnswer) {
  Stream stream;
  const std::string text(100'000, 'x');
  for (int i = 0; i < 20; ++i) {
    stream.feed("response.output_text.delta", R"(,"delta":")" + text + "\"");
  }
  for (int i = 0; i < 1000; ++i) {
    stream.feed("response.output_item.added",
                R"(,"item":{"type":"message","id":"m)" + std::to_string(i) + "\"}");
  }
  EXPECT_EQ(stream.reader().output_bytes(), 2'000'000);
  EXPECT_EQ(stream.reader().item_ids().size(), 256u);
}

TEST(ResponsesStream, CountsTextThatCameWithoutDeltasOnce) {
  Stream stream;
  stream.feed("response.output_text.delta", R"(,"delta":"H\u00e9")");
  stream.feed("response.output_text.done", R"(,"text":"H\u00e9")");
  stream.feed("response.completed",
              R"(,"response":{"status":"completed","output":[{"type":"message","id":"m",)"
              R"("content":[{"type":"output_text","text":"H\u00e9"}]}]})");
  EXPECT_EQ(stream.reader().output_bytes(), 3);
}

TEST(ResponsesStream, AnErrorOfOursGoesOnCounting) {
  Stream stream;
  stream.feed("response.created", response("in_progress"));
  stream.feed("response.in_progress", response("in_progress"));
  EXPECT_EQ(stream.reader().next_sequence(), 2);
}

}  // namespace
}  // namespace sluice::responses
