#include "wire/openai_stream.h"

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "wire/json.h"

namespace sluice::openai {
namespace {

using Kind = StreamEvent::Kind;

constexpr const char* kHead =
    R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[)";

std::string chunk(const std::string& choices, const std::string& tail = "") {
  return kHead + choices + "]" + tail + "}";
}
std::string delta(const std::string& members, const std::string& finish = "null") {
  return R"({"index":0,"delta":{)" + members + R"(},"finish_reason":)" + finish + "}";
}

// A reader and what came out of it.
class Stream {
 public:
  explicit Stream(bool asked = false)
      : reader_({.asked_usage = asked, .id = "chatcmpl-g", .model = "g/m", .created = 9}) {}

  StreamEvent feed(const std::string& payload, const std::string& name = "") {
    raw_ = "data: " + payload + "\n\n";
    sse::Event event;
    event.raw = raw_;
    event.data = std::string_view(raw_).substr(6, payload.size());
    event.name = name;
    event.canonical = name.empty();
    const StreamEvent out = reader_.take(event, scratch_);
    sent += out.bytes;
    return out;
  }
  bool untouched(const StreamEvent& event) const { return event.bytes.data() == raw_.data(); }
  StreamReader::End finish() {
    const StreamReader::End end = reader_.finish(scratch_);
    sent += end.bytes;
    return end;
  }
  const StreamReader& reader() const { return reader_; }

  std::string sent;

 private:
  std::string raw_;
  std::string scratch_;
  StreamReader reader_;
};

TEST(OpenAiStream, KA_2_AnEmptyEventIsAChunkOfThisStream) {
  Stream stream;
  EXPECT_EQ(stream.reader().empty_event(), "");
  stream.feed(chunk(delta(R"("content":"a")")));
  const std::string event = stream.reader().empty_event();
  EXPECT_EQ(
      event,
      "data: " + chunk(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":null})") + "\n\n");
  EXPECT_EQ(stream.feed(event.substr(6, event.size() - 8)).kind, StreamEvent::Kind::Preamble);
}

TEST(OpenAiStream, FB_8_WhatCarriesNoContentIsPreambleAndPassesByteForByte) {
  Stream stream;
  for (const std::string& payload :
       {chunk(delta(R"("role":"assistant")")), chunk(delta("")), chunk(delta(R"("content":"")")),
        chunk(delta(R"("content":null)")), chunk(delta(R"("tool_calls":[])")),
        chunk(delta(R"("something_new":{"a":1})")), chunk("")}) {
    const StreamEvent event = stream.feed(payload);
    EXPECT_EQ(event.kind, Kind::Preamble) << payload;
    EXPECT_FALSE(event.content);
    EXPECT_TRUE(stream.untouched(event)) << payload;
  }
  EXPECT_FALSE(stream.reader().saw_content());
}

TEST(OpenAiStream, FB_8_UsageAloneIsNoContent) {
  Stream stream;
  EXPECT_EQ(stream.feed(chunk("", R"(,"usage":{"prompt_tokens":3})")).kind, Kind::Usage);
  EXPECT_FALSE(stream.reader().saw_content());
}

TEST(OpenAiStream, EveryKindOfContentCounts) {
  for (const char* members :
       {R"("content":"x")", R"("refusal":"x")", R"("reasoning":"x")", R"("reasoning_content":"x")",
        R"("function_call":{"name":"f","arguments":""})", R"("audio":{"id":"a"})",
        R"("reasoning_details":[{"type":"t"}])",
        R"("tool_calls":[{"index":0,"id":"i","type":"function","function":{"name":"f"}}])"}) {
    Stream stream;
    stream.feed(chunk(delta(R"("role":"assistant")")));
    const StreamEvent event = stream.feed(chunk(delta(members)));
    EXPECT_EQ(event.kind, Kind::Content) << members;
    EXPECT_TRUE(stream.untouched(event)) << members;
  }
}

TEST(OpenAiStream, SSE_1_BrokenEventsAreBadRepliesOnTheFastPathToo) {
  for (const char* rest :
       {R"({"index":0,"delta":{"content":"a)", R"({"index":0,"delta":{"content":"a"}}]}})",
        R"({"index":0,"delta":{"content":"a" "b"}}]})", R"({"index":01}]})", R"("x"]})",
        R"({"index":0,"delta":{"content":5}}]})",
        "{\"index\":0,\"delta\":{\"content\":\"\xff\"}}]}"}) {
    Stream stream;
    stream.feed(chunk(delta(R"("role":"assistant")")));
    const StreamEvent event = stream.feed(std::string(kHead) + rest);
    EXPECT_EQ(event.kind, Kind::Error) << rest;
    ASSERT_NE(stream.reader().error(), nullptr);
    EXPECT_EQ(stream.reader().error()->outcome, Outcome::UpstreamBadReply) << rest;
    EXPECT_EQ(stream.feed(chunk(delta(R"("content":"late")"))).kind, Kind::Ignore);
    EXPECT_FALSE(stream.finish().complete);
  }
}

TEST(OpenAiStream, SSE_3_AHeadThatChangesBehindChoicesIsPutRight) {
  Stream stream;
  stream.feed(chunk(delta(R"("role":"assistant")")));
  stream.feed(chunk(delta(R"("content":"a")"), R"(,"id":"other")"));
  EXPECT_EQ(stream.sent.find("other"), std::string::npos);
}

TEST(OpenAiStream, COST_2_UsageNullIsRemovedWithoutTouchingTheRest) {
  Stream stream;
  stream.feed(chunk(delta(R"("role":"assistant")"), R"(,"usage":null)"));
  stream.sent.clear();
  stream.feed(chunk(delta(R"("content":"a")"), R"( , "usage" : null,"x":1)"));
  stream.feed(chunk(delta(R"("content":"b")"), R"(,"usage":null,"x":1)"));
  EXPECT_EQ(stream.sent.substr(stream.sent.size() / 2),
            "data: " + chunk(delta(R"("content":"b")"), R"(,"x":1)") + "\n\n");
  EXPECT_EQ(stream.sent.find("usage"), std::string::npos);
}

TEST(OpenAiStream, COST_5_UsageOnTheLastContentChunkKeepsItsCachedDetail) {
  for (const bool asked : {false, true}) {
    Stream stream(asked);
    stream.feed(chunk(delta(R"("role":"assistant")")));
    const StreamEvent last =
        stream.feed(chunk(delta(R"("content":"a")", R"("stop")"),
                          R"(,"usage":{"prompt_tokens":9,"completion_tokens":2,)"
                          R"("prompt_tokens_details":{"cached_tokens":6}})"));
    EXPECT_EQ(last.kind, Kind::Finish);
    EXPECT_TRUE(last.content);
    ASSERT_TRUE(stream.reader().usage());
    EXPECT_EQ(stream.reader().usage()->cache_read, 6);
    EXPECT_EQ(stream.reader().usage()->plain_input, 3);
    stream.feed("[DONE]");
    const bool sent =
        stream.sent.find(R"("choices":[],"usage":{"prompt_tokens":9)") != std::string::npos;
    EXPECT_EQ(sent, asked);
  }
}

TEST(OpenAiStream, COST_6_CumulativeUsageIsNotSummed) {
  Stream stream(/*asked=*/true);
  stream.feed(chunk(delta(R"("role":"assistant")")));
  for (int i = 1; i <= 3; ++i) {
    stream.feed(
        chunk(delta(R"("content":"a")"),
              R"(,"usage":{"prompt_tokens":5,"completion_tokens":)" + std::to_string(i) + "}"));
  }
  ASSERT_TRUE(stream.reader().usage());
  EXPECT_EQ(stream.reader().usage()->output(), 3);
  EXPECT_EQ(stream.reader().usage()->input(), 5);
}

TEST(OpenAiStream, U45_UsageThatCannotBeDoesNotReplaceAGoodOne) {
  Stream stream;
  stream.feed(chunk("", R"(,"usage":{"prompt_tokens":3,"completion_tokens":4})"));
  stream.feed(chunk("", R"(,"usage":{"prompt_tokens":-3,"completion_tokens":4})"));
  ASSERT_TRUE(stream.reader().usage());
  EXPECT_EQ(stream.reader().usage()->input(), 3);
}

TEST(OpenAiStream, COST_11_EveryEndOfStreamReportsUsageOnce) {
  const std::string usage = chunk("", R"(,"usage":{"prompt_tokens":3,"completion_tokens":4})");
  const std::string finish = chunk(delta("", R"("stop")"));
  const std::vector<std::vector<std::string>> orders = {{finish, usage, "[DONE]"},
                                                        {finish, usage},
                                                        {finish, usage, usage, "[DONE]"},
                                                        {finish, usage, "[DONE]", usage, "[DONE]"},
                                                        {usage, finish}};
  for (const std::vector<std::string>& order : orders) {
    Stream stream(/*asked=*/true);
    stream.feed(chunk(delta(R"("role":"assistant","content":"a")")));
    for (const std::string& payload : order) stream.feed(payload);
    EXPECT_TRUE(stream.finish().complete);
    EXPECT_EQ(stream.reader().usage()->output(), 4);
    const size_t first = stream.sent.find(R"("usage":{)");
    EXPECT_NE(first, std::string::npos);
    EXPECT_EQ(stream.sent.find(R"("usage":{)", first + 1), std::string::npos);
    EXPECT_TRUE(stream.sent.ends_with("}\n\ndata: [DONE]\n\n"));
  }
}

TEST(OpenAiStream, FB_4_WithoutFinishOrDoneTheStreamIsTruncated) {
  Stream cut;
  cut.feed(chunk(delta(R"("role":"assistant","content":"a")")));
  EXPECT_FALSE(cut.finish().complete);
  Stream one_of_two;
  one_of_two.feed(chunk(delta(R"("role":"assistant","content":"a")", R"("stop")")));
  one_of_two.feed(chunk(R"({"index":1,"delta":{"role":"assistant","content":"b"}})"));
  EXPECT_FALSE(one_of_two.finish().complete);
  Stream nothing;
  EXPECT_FALSE(nothing.finish().complete);
}

TEST(OpenAiStream, SSE_8_DoneIsSaidOnceAndWhatFollowsIsDropped) {
  Stream stream;
  stream.feed(chunk(delta(R"("role":"assistant","content":"a")", R"("stop")")));
  const StreamEvent done = stream.feed("[DONE]");
  EXPECT_EQ(done.kind, Kind::Done);
  EXPECT_TRUE(stream.untouched(done));
  EXPECT_EQ(stream.feed("[DONE]").kind, Kind::Ignore);
  EXPECT_EQ(stream.feed(chunk(delta(R"("content":"late")"))).kind, Kind::Ignore);
  EXPECT_EQ(stream.feed(R"({"error":{"message":"late"}})").kind, Kind::Ignore);
  const StreamReader::End end = stream.finish();
  EXPECT_TRUE(end.complete);
  EXPECT_TRUE(end.bytes.empty());
}

TEST(OpenAiStream, ErrorsOfEveryShapeEndTheStream) {
  const std::pair<const char*, Outcome> cases[] = {
      {R"({"error":{"code":429,"message":"slow"}})", Outcome::UpstreamRateLimit},
      {R"({"error":"boom"})", Outcome::UpstreamError},
      {R"({"object":"error","message":"x","code":400})", Outcome::UpstreamRejected},
      {R"({"choices":[{"index":0,"delta":{},"finish_reason":"error"}]})", Outcome::UpstreamError},
      {R"({"choices":[{"index":0,"delta":{},"error":{"message":"x","code":502}}]})",
       Outcome::UpstreamError},
  };
  for (const auto& [payload, outcome] : cases) {
    Stream stream;
    EXPECT_EQ(stream.feed(payload).kind, Kind::Error) << payload;
    EXPECT_EQ(stream.reader().error()->outcome, outcome) << payload;
    EXPECT_FALSE(stream.reader().error()->message.empty());
    EXPECT_TRUE(stream.sent.empty());
  }
}

TEST(OpenAiStream, ANamedPingIsIgnoredAndANamedChunkIsNot) {
  Stream stream;
  EXPECT_EQ(stream.feed(R"({"type":"ping"})", "ping").kind, Kind::Ignore);
  const StreamEvent event =
      stream.feed(chunk(delta(R"("role":"assistant","content":"a")")), "message");
  EXPECT_EQ(event.kind, Kind::Content);
  EXPECT_TRUE(event.bytes.starts_with("data: {")) << event.bytes;
}

// What a client that merges by index, as the SDKs do, ends up with.
std::map<int64_t, std::string> merged_arguments(const std::string& sent) {
  std::map<int64_t, std::string> merged;
  sse::Parser parser;
  parser.feed(sent);
  sse::Event event;
  while (parser.next(&event) == sse::Step::Event) {
    if (event.data == "[DONE]") continue;
    std::unique_ptr<ToolCalls> tools;
    Chunk facts;
    const ChoiceSet no_roles;
    ChunkWalk walk(chat::Endpoint::Chat, no_roles, tools, event.data);
    EXPECT_TRUE(walk.run(0, &facts));
    if (!tools) continue;
    for (const ToolEntry& entry : tools->entries) {
      EXPECT_GE(entry.index, 0) << event.data;
      const bool first = !merged.contains(entry.index);
      EXPECT_EQ(first, !entry.id.empty() && !entry.name.empty() && entry.has_type) << event.data;
      merged[entry.index] += entry.arguments.str();
    }
  }
  return merged;
}

// Every way to number `calls` parallel calls wrongly, and the right one.
TEST(OpenAiStream, SSE_2_ArgumentsOfOneTwoAndFiveCallsConcatenate) {
  const std::vector<std::string> indices = {"right", "none", "null", "zero", "text"};
  for (const int calls : {1, 2, 5}) {
    for (const std::string& numbering : indices) {
      for (const bool id_everywhere : {false, true}) {
        Stream stream;
        stream.feed(chunk(delta(R"("role":"assistant")")));
        for (int call = 0; call < calls; ++call) {
          const std::string n = std::to_string(call);
          std::string index = R"("index":)" + n + ",";
          if (numbering == "none") index.clear();
          if (numbering == "null") index = R"("index":null,)";
          if (numbering == "zero") index = R"("index":0,)";
          if (numbering == "text") index = R"("index":"0",)";
          const std::string id = R"("id":"call_)" + n + R"(",)";
          const std::vector<std::string> fragments = {"", R"({\"a\":)", n, "}"};
          for (size_t i = 0; i < fragments.size(); ++i) {
            const std::string name = i == 0 ? R"("name":"f","arguments":")" : R"("arguments":")";
            const std::string who = i == 0 || id_everywhere ? id : "";
            stream.feed(chunk(delta(R"("tool_calls":[{)" + index + who +
                                    R"("type":"function","function":{)" + name + fragments[i] +
                                    R"("}}])")));
          }
        }
        const std::map<int64_t, std::string> merged = merged_arguments(stream.sent);
        ASSERT_EQ(merged.size(), static_cast<size_t>(calls)) << numbering << id_everywhere;
        for (const auto& [index, arguments] : merged) {
          EXPECT_EQ(arguments, "{\"a\":" + std::to_string(index) + "}") << numbering;
        }
      }
    }
  }
}

TEST(OpenAiStream, SSE_2_InterleavedCallsStayApart) {
  Stream stream;
  stream.feed(chunk(delta(R"("role":"assistant")")));
  const auto call = [&](const std::string& entries) {
    stream.feed(chunk(delta(R"("tool_calls":[)" + entries + "]")));
  };
  call(R"({"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"[1"}})");
  call(R"({"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"[2"}})");
  call(R"({"index":0,"function":{"arguments":"0]"}},{"index":1,"function":{"arguments":"1]"}})");
  const std::map<int64_t, std::string> merged = merged_arguments(stream.sent);
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged.at(0), "[11]");
  EXPECT_EQ(merged.at(1), "[20]");
}

TEST(OpenAiStream, DISC_5_OutputBytesAreCountedUnescapedOnEveryPath) {
  Stream stream;
  stream.feed(chunk(delta(R"("role":"assistant","content":"")")));
  stream.feed(chunk(delta(R"("content":"a\n\u00e9")")));
  stream.feed(chunk(delta(R"("reasoning_content":"bc")")));
  stream.feed(chunk(delta(R"("tool_calls":[{"index":0,"id":"i","type":"function",)"
                          R"("function":{"name":"f","arguments":"{\"x\":1}"}}])")));
  EXPECT_EQ(stream.reader().output_bytes(), 4 + 2 + 7);
}

}  // namespace
}  // namespace sluice::openai
