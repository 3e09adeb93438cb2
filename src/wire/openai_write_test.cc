#include "wire/openai_write.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "wire/openai_conversation.h"
#include "wire/openai_write_request.h"

namespace sluice::openai {
namespace {

using chat::Conversation;
using chat::Message;
using chat::Part;
using chat::Role;
using chat::TargetTraits;
using Kind = Part::Kind;
using Names = std::vector<std::string>;

Part part(Kind kind, std::string text = "") {
  Part part;
  part.kind = kind;
  part.text = std::move(text);
  return part;
}
Message message(Role role, std::vector<Part> parts) {
  Message message;
  message.role = role;
  message.parts = std::move(parts);
  return message;
}
Conversation hello() {
  Conversation conversation;
  conversation.messages = {message(Role::User, {part(Kind::Text, "Hi")})};
  return conversation;
}
chat::Translated write(const Conversation& conversation,
                       const TargetTraits& traits = {.model = "m"}) {
  Result<chat::Translated> out = write_request(conversation, traits);
  EXPECT_TRUE(out) << (out ? "" : out.error().message());
  return out ? std::move(*out) : chat::Translated();
}
// The members of the body behind the messages.
std::string tail(const Conversation& conversation, const TargetTraits& traits = {.model = "m"}) {
  const std::string head = R"({"model":"m","messages":[{"role":"user","content":"Hi"}])";
  const std::string body = write(conversation, traits).body;
  EXPECT_TRUE(body.starts_with(head)) << body;
  return body.substr(head.size());
}
std::string messages(std::vector<Message> messages, Names* dropped = nullptr,
                     const TargetTraits& traits = {.model = "m"}) {
  Conversation conversation;
  conversation.messages = std::move(messages);
  chat::Translated out = write(conversation, traits);
  if (dropped != nullptr) *dropped = out.dropped;
  const std::string head = R"({"model":"m","messages":[)";
  EXPECT_TRUE(out.body.starts_with(head)) << out.body;
  return out.body.substr(head.size(), out.body.size() - head.size() - 2);
}

TEST(OpenAiWrite, TR_2_TheOutputLimitHasTheNameTheTargetWants) {
  Conversation conversation = hello();
  conversation.max_output_tokens = 5;
  EXPECT_EQ(tail(conversation), R"(,"max_completion_tokens":5})");
  EXPECT_EQ(tail(conversation, {.model = "m", .old_max_tokens = true}), R"(,"max_tokens":5})");
}

TEST(OpenAiWrite, SystemMessagesHaveTheRoleTheTargetWants) {
  const Message system = message(Role::System, {part(Kind::Text, "a")});
  EXPECT_EQ(messages({system}), R"({"role":"system","content":"a"})");
  EXPECT_EQ(messages({system}, nullptr, {.model = "m", .developer_role = true}),
            R"({"role":"developer","content":"a"})");
}

TEST(OpenAiWrite, TR_9_ResultsOfToolsComeBeforeTheRestOfTheirTurn) {
  Part result = part(Kind::ToolResult);
  result.id = "a";
  Part image = part(Kind::Image);
  image.media_type = "image/png";
  image.data = "AAAA";
  result.content = {part(Kind::Text, "x"), image};
  Part failed = part(Kind::ToolResult);
  failed.id = "b";
  failed.is_error = true;
  failed.content = {part(Kind::Text, "no disk")};
  EXPECT_EQ(messages({message(Role::User, {part(Kind::Text, "and?"), result, failed})}),
            R"({"role":"tool","tool_call_id":"a","content":"x"},)"
            R"({"role":"tool","tool_call_id":"b","content":"Error: no disk"},)"
            R"({"role":"user","content":[{"type":"image_url","image_url":)"
            R"({"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"and?"}]})");
}

TEST(OpenAiWrite, TR_9_NothingStandsBetweenTheResultsOfTwoTurns) {
  Part image = part(Kind::Image);
  image.url = "https://a/b";
  Part first = part(Kind::ToolResult);
  first.id = "a";
  first.content = {image};
  Part second = part(Kind::ToolResult);
  second.id = "b";
  EXPECT_EQ(
      messages({message(Role::User, {first}), message(Role::User, {second})}),
      R"({"role":"tool","tool_call_id":"a","content":""},)"
      R"({"role":"tool","tool_call_id":"b","content":""},)"
      R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]})");
}

TEST(OpenAiWrite, TR_9_ACallWithoutArgumentsHasAnEmptyObject) {
  Part call = part(Kind::ToolCall);
  call.id = "a";
  call.name = "f";
  EXPECT_EQ(messages({message(Role::Assistant, {call})}),
            R"({"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]})");
}

TEST(OpenAiWrite, TR_3_EverythingWithoutAPlaceIsNamedOnce) {
  Part url_file = part(Kind::File);
  url_file.url = "https://a/b.pdf";
  Part foreign = part(Kind::Foreign);
  foreign.name = "search_result";
  Part marked = part(Kind::Text, "a");
  marked.cache_control = R"({"type":"ephemeral"})";
  Names dropped;
  EXPECT_EQ(messages({message(Role::Assistant, {part(Kind::Thinking, "hm"), part(Kind::Redacted)}),
                      message(Role::User, {marked, marked, url_file, foreign}),
                      message(Role::Assistant, {part(Kind::Thinking, "hm")})},
                     &dropped),
            R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"a"}]})");
  EXPECT_EQ(dropped, (Names{"messages.content (thinking)", "messages.content (redacted thinking)",
                            "messages.content (file)", "messages.content (search_result)",
                            "cache_control"}));
}

TEST(OpenAiWrite, TR_7_CacheMarkersPassWhereTheTargetTakesThem) {
  Part marked = part(Kind::Text, "a");
  marked.cache_control = R"({"type":"ephemeral"})";
  Names dropped;
  EXPECT_EQ(messages({message(Role::User, {marked})}, &dropped,
                     {.model = "m", .cache_breakpoints = true}),
            R"({"role":"user","content":[{"type":"text","text":"a",)"
            R"("prompt_cache_breakpoint":{"mode":"explicit"}}]})");
  EXPECT_TRUE(dropped.empty());
  Conversation conversation = hello();
  conversation.prompt_cache_key = "k";
  EXPECT_EQ(tail(conversation), R"(,"prompt_cache_key":"k"})");
}

TEST(OpenAiWrite, AtMostFourStopSequencesAreSent) {
  Conversation conversation = hello();
  conversation.stop = {"a", "b", "c", "d"};
  EXPECT_TRUE(write(conversation).dropped.empty());
  conversation.stop.push_back("e");
  EXPECT_EQ(tail(conversation), R"(,"stop":["a","b","c","d"]})");
  EXPECT_EQ(write(conversation).dropped, Names{"stop (beyond the first 4)"});
}

TEST(OpenAiWrite, SamplingIsDroppedWhereItIsFixed) {
  Conversation conversation = hello();
  conversation.temperature = 0.5;
  conversation.top_p = 1;
  conversation.top_k = 3;
  EXPECT_EQ(tail(conversation), R"(,"temperature":0.5,"top_p":1})");
  const TargetTraits fixed{.model = "m", .fixed_sampling = true};
  EXPECT_EQ(tail(conversation, fixed), "}");
  EXPECT_EQ(write(conversation, fixed).dropped, (Names{"temperature", "top_k"}));
}

TEST(OpenAiWrite, ReasoningBecomesAnEffort) {
  const std::pair<int64_t, const char*> budgets[] = {
      {1024, "low"}, {4096, "medium"}, {16384, "high"}, {100000, "high"}};
  for (const auto& [budget, effort] : budgets) {
    Conversation conversation = hello();
    conversation.reasoning.budget = budget;
    EXPECT_EQ(tail(conversation), std::string(R"(,"reasoning_effort":")") + effort + "\"}");
    EXPECT_EQ(effort_for(budget_for(effort)), effort);
  }
  Conversation conversation = hello();
  conversation.reasoning.adaptive = true;
  EXPECT_EQ(tail(conversation), R"(,"reasoning_effort":"medium"})");
  conversation.reasoning.effort = "max";
  EXPECT_EQ(tail(conversation), R"(,"reasoning_effort":"max"})");
  EXPECT_EQ(write(conversation, {.model = "m", .reasoning_effort = false}).dropped,
            Names{"reasoning"});
}

TEST(OpenAiWrite, ToolFieldsAreSentOnlyWithTools) {
  Conversation conversation = hello();
  chat::Tool& tool = conversation.tools.emplace_back();
  tool.name = "web_search_20250305";
  tool.json = "{}";
  conversation.tool_choice.kind = chat::ToolChoice::Kind::Required;
  conversation.parallel_tool_calls = false;
  EXPECT_EQ(tail(conversation), "}");
  EXPECT_EQ(write(conversation).dropped, (Names{"tools (web_search_20250305)", "tool_choice"}));
  chat::Tool& custom = conversation.tools.emplace_back();
  custom.name = "g";
  custom.custom = true;
  conversation.tool_choice = {.kind = chat::ToolChoice::Kind::One, .name = "g"};
  EXPECT_EQ(
      tail(conversation),
      R"(,"tools":[{"type":"custom","custom":{"name":"g"}}],)"
      R"("tool_choice":{"type":"custom","custom":{"name":"g"}},"parallel_tool_calls":false})");
}

TEST(OpenAiWrite, AUserNameTheTargetWouldRefuseIsNotSent) {
  Conversation conversation = hello();
  conversation.user = std::string(64, 'u');
  EXPECT_EQ(tail(conversation), R"(,"safety_identifier":")" + conversation.user + "\"}");
  conversation.user += "u";
  EXPECT_EQ(tail(conversation), "}");
  EXPECT_EQ(write(conversation).dropped, Names{"user (longer than 64 bytes)"});
}

TEST(OpenAiWrite, COST_2_AStreamIsAskedForItsUsage) {
  Conversation conversation = hello();
  conversation.stream = true;
  EXPECT_EQ(tail(conversation), R"(,"stream":true})");
  EXPECT_EQ(tail(conversation, {.model = "m", .ask_usage = true}),
            R"(,"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(OpenAiWrite, ARequestOfWhichNothingIsLeftIsRefused) {
  Conversation conversation;
  conversation.messages = {message(Role::Assistant, {part(Kind::Thinking, "hm")})};
  const Result<chat::Translated> out = write_request(conversation, {.model = "m"});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().param(), "messages");
}

// Makes conversations that the dialect can say in full.
class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  Conversation conversation() {
    Conversation out;
    out.model = "vendor/model";
    out.stream = coin();
    const int count = 1 + below(5);
    for (int i = 0; i < count; ++i) out.messages.push_back(message(out.messages));
    const int tools = below(3);
    for (int i = 0; i < tools; ++i) out.tools.push_back(tool(i));
    if (tools > 0) choose(&out);
    if (coin()) out.max_output_tokens = 1 + below(1000);
    if (coin()) out.temperature = below(21) / 10.0;
    if (coin()) out.top_p = below(11) / 10.0;
    if (coin()) out.frequency_penalty = below(41) / 10.0 - 2;
    if (coin()) out.presence_penalty = below(41) / 10.0 - 2;
    if (coin()) out.seed = below(1000) - 500;
    out.choices = 1 + below(3);
    for (int i = below(5); i > 0; --i) out.stop.push_back(text());
    format(&out.format);
    if (coin()) out.reasoning.effort = "low";
    if (coin()) out.user = "someone";
    if (coin()) out.service_tier = "flex";
    if (coin()) out.prompt_cache_key = text();
    return out;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  bool coin() { return below(2) == 0; }
  std::string text() {
    constexpr const char* kTexts[] = {
        "a", "\"quoted\"", "line\nline", "{}", "\xc3\xa9\xe2\x82\xac", "\\", "\x01\x1f"};
    return std::string("t") + kTexts[below(7)];
  }
  Part text_part(Kind kind) {
    Part out = part(kind, text());
    if (kind == Kind::Text && below(4) == 0) out.cache_control = R"({"type":"ephemeral"})";
    return out;
  }

  Message message(const std::vector<Message>& before) {
    Message out;
    out.role = static_cast<Role>(below(3));
    if (coin()) out.name = text();
    const bool after_results =
        !before.empty() && before.back().parts.back().kind == Kind::ToolResult;
    if (out.role == Role::User && below(3) == 0 && !after_results) {
      out.name.clear();
      for (int i = 1 + below(2); i > 0; --i) out.parts.push_back(result());
      return out;
    }
    for (int i = 1 + below(3); i > 0; --i) out.parts.push_back(content(out.role));
    if (out.role == Role::Assistant) {
      for (int i = below(3); i > 0; --i) out.parts.push_back(call());
    }
    return out;
  }

  Part content(Role role) {
    const int kind = role == Role::System ? 0 : role == Role::Assistant ? below(2) : below(6);
    if (role == Role::Assistant) return text_part(kind == 0 ? Kind::Text : Kind::Refusal);
    Part out = text_part(Kind::Text);
    if (kind < 2) return out;
    out.text.clear();
    out.kind = kind < 4 ? Kind::Image : kind == 4 ? Kind::File : Kind::Audio;
    if (kind == 2) {
      out.url = "https://example.com/a.png";
      out.detail = "high";
    } else {
      out.media_type = kind == 5 ? "wav" : "image/png";
      out.data = "AAAA";
    }
    if (kind == 4) out.text = "name.pdf";
    return out;
  }
  Part call() {
    Part out = part(Kind::ToolCall);
    out.id = text();
    out.name = text();
    out.custom = coin();
    out.arguments = text();
    return out;
  }
  Part result() {
    Part out = part(Kind::ToolResult);
    out.id = text();
    for (int i = below(3); i > 0; --i) out.content.push_back(text_part(Kind::Text));
    return out;
  }
  chat::Tool tool(int number) {
    chat::Tool out;
    out.name = "tool_" + std::to_string(number);
    if (coin()) out.description = text();
    out.custom = coin();
    if (!out.custom && coin()) out.parameters = R"({"type": "object"})";
    if (!out.custom && coin()) out.strict = coin();
    return out;
  }
  void choose(Conversation* out) {
    out->tool_choice.kind = static_cast<chat::ToolChoice::Kind>(below(5));
    if (out->tool_choice.kind == chat::ToolChoice::Kind::One) out->tool_choice.name = "tool_0";
    if (coin()) out->parallel_tool_calls = coin();
  }
  void format(chat::Format* out) {
    out->kind = static_cast<chat::Format::Kind>(below(3));
    if (out->kind != chat::Format::Kind::JsonSchema) return;
    out->name = text();
    out->schema = R"({"type":"object"})";
    if (coin()) out->description = text();
    if (coin()) out->strict = coin();
  }

  std::mt19937 random_;
};

TEST(OpenAiWrite, TR_9_WhatWasWrittenReadsAsWhatItWas) {
  size_t largest = 0;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    const Conversation made = Maker(seed).conversation();
    const TargetTraits traits{.model = made.model,
                              .ask_usage = seed % 2 == 0,
                              .old_max_tokens = seed % 3 == 0,
                              .developer_role = seed % 5 == 0,
                              .cache_breakpoints = true};
    const chat::Translated out = write(made, traits);
    EXPECT_TRUE(out.dropped.empty()) << out.dropped.front();
    const Result<Conversation> read = read_conversation(out.body);
    ASSERT_TRUE(read) << read.error().message() << "\n" << out.body;
    ASSERT_EQ(*read, made) << "seed " << seed << "\n" << out.body;
    largest = std::max(largest, out.body.size());
  }
  EXPECT_GT(largest, 1000u);
}

}  // namespace
}  // namespace sluice::openai
