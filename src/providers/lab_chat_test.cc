#include "providers/lab_chat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/lab_embeddings.h"
#include "providers/lab_test_request.h"
#include "providers/lab_text.h"

namespace sluice::providers {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = LabStep::Kind;

constexpr std::string_view kStream =
    R"({"model":"chat","messages":[{"role":"user","content":"hi"}],"stream":true,)"
    R"("stream_options":{"include_usage":true}})";
constexpr std::string_view kStreamPlain =
    R"({"model":"chat","messages":[{"role":"user","content":"hi"}],"stream":true})";
constexpr std::string_view kTools =
    R"({"model":"tools","messages":[{"role":"user","content":"hi"}],"stream":true,)"
    R"("tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object",)"
    R"("properties":{"city":{"type":"string"}}}}}]})";

std::string stream(std::string_view faults, std::string_view body = kStream) {
  return LabTestRequest(body, chat::Endpoint::Chat, faults).stream();
}

// What stands behind `data: `, one each.
std::vector<std::string> payloads(std::string_view text) {
  std::vector<std::string> found;
  for (size_t at = 0; (at = text.find("data: ", at)) != std::string_view::npos;) {
    const size_t end = text.find('\n', at);
    found.emplace_back(text.substr(at + 6, end - at - 6));
    at = end;
  }
  return found;
}

std::string joined(const std::vector<std::string>& events, const char* pointer) {
  std::string out;
  simdjson::dom::parser parser;
  for (const std::string& event : events) {
    simdjson::dom::element root;
    std::string_view text;
    const simdjson::padded_string padded(event);
    if (parser.parse(padded).get(root) != simdjson::SUCCESS) continue;
    if (root.at_pointer(pointer).get(text) == simdjson::SUCCESS) out += text;
  }
  return out;
}

TEST(LabChat, AStreamBeginsWithTheRoleAndEndsWithFinishUsageDone) {
  LabTestRequest read(kStream, chat::Endpoint::Chat, "tokens-3");
  const std::vector<std::string> events = payloads(read.stream());
  EXPECT_THAT(read.kinds, testing::ElementsAre(Kind::Opening, Kind::Text, Kind::Text, Kind::Text,
                                               Kind::Finish, Kind::Usage, Kind::Done));
  EXPECT_THAT(events[0], HasSubstr(R"("delta":{"role":"assistant")"));
  EXPECT_THAT(events[4], HasSubstr(R"("finish_reason":"stop")"));
  EXPECT_THAT(
      events[5],
      HasSubstr(
          R"("choices":[],"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4)"));
  EXPECT_EQ(events[6], "[DONE]");
}

TEST(LabChat, EveryReplySaysThatItIsTheLab) {
  EXPECT_THAT(stream("tokens-1"), HasSubstr(R"("system_fingerprint":"lab: not a real model")"));
  EXPECT_THAT(LabTestRequest(kStream).buffered(),
              HasSubstr(R"("system_fingerprint":"lab: not a real model")"));
}

TEST(LabChat, UsageNullStandsOnOrdinaryChunksOnlyWhenAskedFor) {
  EXPECT_THAT(payloads(stream("tokens-1"))[1], HasSubstr(R"("usage":null)"));
  EXPECT_THAT(stream("tokens-1", kStreamPlain), Not(HasSubstr("usage")));
  EXPECT_THAT(stream("tokens-1,usage-always", kStreamPlain), HasSubstr(R"("usage":{)"));
}

TEST(LabChat, AStreamAndABufferedReplySayTheSame) {
  LabTestRequest read(kStream);
  const std::string text = read.complete().choices[0].text;
  EXPECT_EQ(joined(payloads(read.stream()), "/choices/0/delta/content"), text);
  EXPECT_EQ(joined({read.buffered()}, "/choices/0/message/content"), text);
}

TEST(LabChat, ToolCallsCarryIdAndNameFirstThenArguments) {
  LabTestRequest read(kTools);
  const std::string whole = read.complete().choices[0].calls[0].arguments;
  const std::vector<std::string> events = payloads(read.stream());
  EXPECT_THAT(events[1], HasSubstr(R"("tool_calls":[{"index":0,"id":"call_lab)"));
  EXPECT_THAT(events[1], HasSubstr(R"("name":"get_weather","arguments":"")"));
  EXPECT_THAT(events[2], Not(HasSubstr("\"id\":\"call")));
  EXPECT_EQ(joined(events, "/choices/0/delta/tool_calls/0/function/arguments"), whole);
}

TEST(LabChat, ToolFaultsChangeTheDeltasAndNotTheCall) {
  const std::string whole = LabTestRequest(kTools).complete().choices[0].calls[0].arguments;
  for (const char* fault : {"tool-index-missing", "tool-index-null", "tool-index-wrong",
                            "tool-id-late", "tool-name-late", "tool-single-bytes"}) {
    const std::vector<std::string> events = payloads(stream(fault, kTools));
    EXPECT_EQ(joined(events, "/choices/0/delta/tool_calls/0/function/arguments"), whole) << fault;
    EXPECT_EQ(joined(events, "/choices/0/delta/tool_calls/0/function/name"), "get_weather");
  }
  EXPECT_THAT(stream("tool-index-null", kTools), HasSubstr(R"("index":null)"));
  EXPECT_THAT(payloads(stream("tool-id-late", kTools))[1], Not(HasSubstr("call_lab")));
}

TEST(LabChat, ABreakComesAfterItsTokens) {
  for (const auto& [fault, kind] : {std::pair("reset-after-3", Kind::Reset),
                                    {"close-after-3", Kind::Close},
                                    {"stall-after-3", Kind::Stall},
                                    {"end-after-3", Kind::End},
                                    {"error-after-3", Kind::Error}}) {
    LabTestRequest read(kStream, chat::Endpoint::Chat, fault);
    const std::string events = read.stream();
    EXPECT_EQ(read.kinds.size(), 5U) << fault;  // role, three tokens, the break
    EXPECT_EQ(read.kinds.back(), kind);
    EXPECT_THAT(events, Not(HasSubstr("[DONE]")));
  }
}

TEST(LabChat, ABreakAfterNothingLeavesTheRole) {
  LabTestRequest read(kStream, chat::Endpoint::Chat, "error-after-0,empty-deltas-2");
  (void)read.stream();
  EXPECT_THAT(read.kinds,
              testing::ElementsAre(Kind::Opening, Kind::Error, Kind::EmptyDelta, Kind::EmptyDelta));
}

TEST(LabChat, ErrorsInAStreamHaveTheirProvidersShape) {
  EXPECT_THAT(stream("error-after-1"), HasSubstr("data: {\"error\":{\"message\":"));
  EXPECT_THAT(stream("error-event-after-1"), HasSubstr("event: error\ndata: {\"error\""));
  EXPECT_THAT(stream("error-openrouter-after-1"), HasSubstr(R"("finish_reason":"error")"));
  EXPECT_THAT(stream("rate-limit-after-1"), HasSubstr("rate_limit_exceeded"));
}

TEST(LabChat, TheEndOfAStreamCanBeWrong) {
  const auto count = [](const std::string& text, std::string_view what) {
    size_t found = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++found;
    return found;
  };
  EXPECT_EQ(count(stream("no-done"), "[DONE]"), 0U);
  EXPECT_EQ(count(stream("two-dones"), "[DONE]"), 2U);
  EXPECT_EQ(count(stream("no-finish"), R"("finish_reason":"stop")"), 0U);
  EXPECT_EQ(count(stream("two-finishes"), R"("finish_reason":"stop")"), 2U);
  EXPECT_EQ(count(stream("usage-twice"), R"("usage":{)"), 2U);
  EXPECT_EQ(count(stream("usage-absent"), "usage"), 0U);
  EXPECT_EQ(count(stream("tokens-4,usage-cumulative"), R"("usage":{)"), 5U);
  EXPECT_EQ(count(stream("tokens-4,usage-on-content"), R"("usage":{)"), 1U);
  const std::string after = stream("usage-after-done");
  EXPECT_GT(after.find(R"("usage":{)"), after.find("[DONE]"));
}

TEST(LabChat, FramingOfEvents) {
  EXPECT_THAT(stream("crlf"), HasSubstr("}\r\n\r\ndata: "));
  EXPECT_THAT(stream("cr"), HasSubstr("}\r\rdata: "));
  EXPECT_EQ(stream("bom").substr(0, 9),
            "\xEF\xBB\xBF"
            "data: ");
  EXPECT_EQ(stream("no-space").substr(0, 6), "data:{");
  EXPECT_THAT(stream("two-lines"), HasSubstr("data: {\ndata: \"id\":"));
  EXPECT_EQ(stream("comments").substr(0, 2), ": ");
  EXPECT_THAT(stream("choices-null"), HasSubstr(R"("choices":null)"));
}

TEST(LabChat, CostFaults) {
  EXPECT_THAT(stream("tokens-2,cost"), HasSubstr(R"("cost":0.000009)"));
  EXPECT_THAT(stream("cost-true"), HasSubstr(R"("cost":true)"));
  EXPECT_THAT(stream("cost-own-key"), HasSubstr(R"("is_byok":true)"));
  EXPECT_THAT(stream("tokens-2,usage-negative"), HasSubstr(R"("completion_tokens":-3)"));
}

TEST(LabEmbeddings, EqualInputsHaveEqualUnitVectors) {
  const std::vector<float> one = lab_embedding(7, 1536);
  EXPECT_EQ(one, lab_embedding(7, 1536));
  EXPECT_NE(one, lab_embedding(8, 1536));
  double square = 0;
  for (const float component : one) square += static_cast<double>(component) * component;
  EXPECT_NEAR(square, 1, 1e-5);
}

TEST(LabEmbeddings, Base64OfTheRightLength) {
  const LabTestRequest read(R"({"model":"embed","input":"a","encoding_format":"base64"})",
                            chat::Endpoint::Embeddings);
  const std::string body = lab_embeddings_body(read.request, *read.model, 0);
  const std::string coded = joined({body}, "/data/0/embedding");
  EXPECT_EQ(coded.size(), 8192U);
  const LabTestRequest small(
      R"({"model":"embed","input":["a","b"],"dimensions":2,"encoding_format":"float"})",
      chat::Endpoint::Embeddings);
  EXPECT_THAT(lab_embeddings_body(small.request, *small.model, 0),
              HasSubstr(R"("usage":{"prompt_tokens":2,"total_tokens":2})"));
}

}  // namespace
}  // namespace sluice::providers
