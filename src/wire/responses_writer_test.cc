#include "wire/responses_writer.h"

#include <algorithm>
#include <charconv>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/responses_golden.h"
#include "wire/json.h"
#include "wire/responses.h"
#include "wire/responses_stream.h"
#include "wire/responses_values.h"
#include "wire/sse.h"

namespace sluice {
namespace {

using chat::AnswerEvent;
using chat::Part;
using Kind = AnswerEvent::Kind;

constexpr std::string_view kRequest =
    "{\"model\":\"alias\",\n \"instructions\":\"Be\\nbrief\",\"temperature\":0.70,\"store\":true,\n"
    " \"tools\":[{\"type\":\"function\",\n\"name\":\"f\"}],\"user\":null}";

int64_t number_of(const std::string& word) {
  int64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const size_t space = line.front() == '"' ? line.size() : std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

AnswerEvent event_of(const std::vector<std::string>& words) {
  const std::string& kind = words[0];
  AnswerEvent event;
  const auto with_text = [&](Kind text_kind) {
    event.kind = text_kind;
    event.text = words[1].starts_with('"') ? responses::text_of(words[1]) : words[1];
  };
  if (kind == "start") {
    event = {.id = words[1], .name = words[2], .created = number_of(words[3])};
  } else if (kind == "text") {
    with_text(Kind::Text);
  } else if (kind == "refusal") {
    with_text(Kind::Refusal);
  } else if (kind == "thinking") {
    with_text(Kind::Thinking);
  } else if (kind == "signature") {
    with_text(Kind::Signature);
  } else if (kind == "redacted") {
    with_text(Kind::Redacted);
  } else if (kind == "arguments") {
    with_text(Kind::Arguments);
  } else if (kind == "call" || kind == "custom") {
    event = {.kind = Kind::ToolCall, .id = words[1], .name = words[2], .custom = kind == "custom"};
    if (event.id == "-") event.id.clear();
  } else if (kind == "finish") {
    event.kind = Kind::Finish;
    event.finish = words[1] == "length"   ? chat::Finish::Length
                   : words[1] == "filter" ? chat::Finish::ContentFilter
                   : words[1] == "tools"  ? chat::Finish::ToolCalls
                                          : chat::Finish::Stop;
  } else if (kind == "usage") {
    event.kind = Kind::Usage;
    event.usage.emplace();
    event.usage->plain_input = number_of(words[1]);
    event.usage->cache_read = number_of(words[2]);
    event.usage->visible_output = number_of(words[3]);
    event.usage->reasoning = number_of(words[4]);
  } else {
    event.kind = Kind::End;
  }
  return event;
}

// Puts into the answer what the event says.
void gather(const AnswerEvent& event, chat::Answer& answer) {
  const auto part = [&](Part::Kind kind) -> Part& {
    const bool goes_on = !answer.parts.empty() && answer.parts.back().kind == kind &&
                         answer.parts.back().signature.empty();
    Part& last = goes_on ? answer.parts.back() : answer.parts.emplace_back();
    last.kind = kind;
    return last;
  };
  switch (event.kind) {
    case Kind::Start:
      answer.id = event.id;
      answer.model = event.name;
      answer.created = event.created;
      return;
    case Kind::Text:
      part(Part::Kind::Text).text += event.text;
      return;
    case Kind::Refusal:
      part(Part::Kind::Refusal).text += event.text;
      return;
    case Kind::Thinking:
      part(Part::Kind::Thinking).text += event.text;
      return;
    case Kind::Signature:
      part(Part::Kind::Thinking).signature += event.text;
      return;
    case Kind::Redacted:
      answer.parts.emplace_back();
      answer.parts.back().kind = Part::Kind::Redacted;
      answer.parts.back().data = event.text;
      return;
    case Kind::ToolCall:
      answer.parts.emplace_back();
      answer.parts.back().kind = Part::Kind::ToolCall;
      answer.parts.back().id = event.id;
      answer.parts.back().name = event.name;
      answer.parts.back().custom = event.custom;
      return;
    case Kind::Arguments:
      answer.parts.back().arguments += event.text;
      return;
    case Kind::Finish:
      answer.finish = event.finish;
      return;
    case Kind::Usage:
      answer.usage = event.usage;
      return;
    case Kind::End:
      return;
  }
}

std::vector<responses::Object> payloads_of(const std::string& bytes,
                                           std::vector<std::string>& keep) {
  std::vector<responses::Object> payloads;
  sse::Parser parser;
  parser.feed(bytes);
  sse::Event event;
  while (parser.next(&event) == sse::Step::Event) keep.emplace_back(event.data);
  for (const std::string& data : keep) payloads.emplace_back(data);
  return payloads;
}

constexpr const char* kScript =
    "start 1 m 7\nthinking \"hm\"\nsignature s\ntext \"a\"\ntext \"b\"\nrefusal \"c\"\ncall x f\n"
    "arguments \"{\"\narguments \"}\"\nfinish tools\nusage 1 2 3 4\nend\n";

TEST(ResponsesWriter, SSE_6_NumbersRiseByOneFromTheFirstEventToTheTerminalOne) {
  std::vector<std::string> keep;
  const auto payloads = payloads_of(test::write_script(kScript).events, keep);
  ASSERT_GT(payloads.size(), 10u);
  for (size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_EQ(payloads[i].integer("sequence_number"), static_cast<int64_t>(i));
  }
  EXPECT_EQ(payloads.front().text("type"), "response.created");
  EXPECT_EQ(payloads.back().text("type"), "response.completed");
}

TEST(ResponsesWriter, SSE_6_TheLastEventHoldsTheAnswerAsABufferedReplyWouldTellIt) {
  std::vector<std::string> keep;
  const test::Written written = test::write_script(kScript);
  const auto payloads = payloads_of(written.events, keep);
  EXPECT_EQ(payloads.back().raw("response"), written.response);
}

TEST(ResponsesWriter, WhatIsWrittenReadsAsACompleteStreamOfTheDialect) {
  const test::Written written = test::write_script(kScript);
  responses::StreamReader reader;
  sse::Parser parser;
  parser.feed(written.events);
  sse::Event event;
  std::string scratch;
  std::string bytes;
  while (parser.next(&event) == sse::Step::Event) bytes += reader.take(event, scratch).bytes;
  EXPECT_EQ(bytes, written.events);
  EXPECT_TRUE(reader.finish(scratch).complete);
  ASSERT_TRUE(reader.usage().has_value());
  EXPECT_EQ(reader.usage()->input(), 3);
  EXPECT_EQ(reader.usage()->reasoning, 4);
  EXPECT_EQ(reader.output_bytes(), 7);
  EXPECT_EQ(reader.response_id(), "resp_1");
  const Result<chat::Reply> reply = responses::decode_reply(written.response);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->usage, reader.usage());
  EXPECT_EQ(reply->output_bytes, reader.output_bytes());
}

TEST(ResponsesWriter, SaysItselfWhatTheAnswerDoesNot) {
  responses::EventWriter writer({.id = "req9", .model = "alias", .created = 5, .echo = "\"a\":1"});
  std::string out;
  writer.write({.kind = Kind::Start}, out);
  EXPECT_NE(
      out.find(R"("id":"resp_req9","object":"response","created_at":5,"model":"alias","a":1)"),
      std::string::npos)
      << out;
  EXPECT_EQ(writer.next_sequence(), 2);
  EXPECT_EQ(writer.empty_event(), "");
}

TEST(ResponsesWriter, SSE_7_AnErrorEventMakesTheSdksRaise) {
  const std::string event = responses::encode_error_event(
      Error(Outcome::Truncated, "cut \"short\"", "input"), /*sequence_number=*/12);
  std::vector<std::string> keep;
  const auto payloads = payloads_of(event, keep);
  ASSERT_EQ(payloads.size(), 1u);
  EXPECT_TRUE(event.starts_with("event: error\n"));
  EXPECT_EQ(payloads[0].text("type"), "error");
  EXPECT_EQ(payloads[0].integer("sequence_number"), 12);
  EXPECT_EQ(payloads[0].text("message"), "cut \"short\"");
  EXPECT_EQ(payloads[0].text("param"), "input");
  // The official SDKs raise for any event with a member `error`, and for nothing else.
  const responses::Object error(payloads[0].raw("error"));
  EXPECT_EQ(error.text("message"), "cut \"short\"");
  EXPECT_EQ(error.text("type"), "api_error");
}

TEST(ResponsesWriter, TheEchoIsTheClientsOwnOnOneLine) {
  const std::string echo = responses::read_echo(kRequest);
  EXPECT_EQ(echo.find('\n'), std::string::npos);
  const std::string object = "{" + echo + "}";
  const responses::Object members(object);
  EXPECT_EQ(members.raw("instructions"), R"("Be\nbrief")");
  EXPECT_EQ(members.raw("temperature"), "0.70");
  EXPECT_EQ(members.raw("tools"), R"([{"type":"function", "name":"f"}])");
  EXPECT_EQ(members.raw("store"), "false");
  EXPECT_EQ(members.raw("tool_choice"), R"("auto")");
  EXPECT_FALSE(members.has("safety_identifier"));
}

}  // namespace

test::Written test::write_script(const std::string& script) {
  const std::string echo = responses::read_echo(kRequest);
  const responses::ResponseNames names{
      .id = "gateway", .model = "alias", .created = 1795420801, .echo = echo};
  responses::EventWriter writer(names);
  chat::Answer answer;
  Written written;
  for (std::string_view rest = script; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const AnswerEvent event = event_of(words_of(rest.substr(0, end)));
    writer.write(event, written.events);
    gather(event, answer);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  written.response = responses::write_answer(answer, names);
  return written;
}

}  // namespace sluice
