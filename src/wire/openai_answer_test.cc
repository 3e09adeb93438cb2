#include "wire/openai_answer.h"

#include <gtest/gtest.h>
#include <string>

#include "wire/openai.h"
#include "wire/openai_events_test_support.h"

namespace sluice::openai {
namespace {

using chat::Answer;
using chat::Finish;
using chat::Part;

std::string reply(const std::string& message, const std::string& finish = R"("stop")") {
  return R"({"id":"c1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,)"
         R"("message":{"role":"assistant",)" +
         message + R"(},"finish_reason":)" + finish + "}]}";
}

Answer read(const std::string& body) {
  Result<Answer> answer = read_answer(body);
  EXPECT_TRUE(answer) << (answer ? "" : answer.error().message());
  return answer ? std::move(*answer) : Answer();
}

std::string read_and_show(const std::string& message, const std::string& finish = R"("stop")") {
  return shown::show(read(reply(message, finish)));
}

TEST(OpenAiAnswer, EveryPartOfAMessageIsReadInOrder) {
  EXPECT_EQ(
      read_and_show(R"("content":"Hi","reasoning_content":"hm","reasoning":"hm","refusal":null,)"
                    R"("tool_calls":[{"id":"a","type":"function","function":{"name":"f",)"
                    R"("arguments":"{\"x\":1}"}},{"id":"b","type":"custom","custom":{"name":"g",)"
                    R"("input":"raw"}}])",
                    R"("tool_calls")"),
      "id=c1 model=m created=7\nthinking \"hm\"\ntext \"Hi\"\n"
      "call id=a name=f arguments=\"{\\\"x\\\":1}\"\n"
      "call id=b name=g custom arguments=\"raw\"\nfinish tool_calls \"\"\nusage none\n");
}

TEST(OpenAiAnswer, ARefusalIsNoText) {
  EXPECT_EQ(read_and_show(R"("content":null,"refusal":"No.")"),
            "id=c1 model=m created=7\nrefusal \"No.\"\nfinish stop \"\"\nusage none\n");
}

TEST(OpenAiAnswer, TR_11_EveryFinishIsRightAndAnUnknownOneKeepsItsWord) {
  const std::pair<const char*, Finish> cases[] = {{"stop", Finish::Stop},
                                                  {"length", Finish::Length},
                                                  {"tool_calls", Finish::ToolCalls},
                                                  {"function_call", Finish::ToolCalls},
                                                  {"content_filter", Finish::ContentFilter},
                                                  {"tired", Finish::Unknown}};
  for (const auto& [word, finish] : cases) {
    const Answer answer = read(reply(R"("content":"a")", '"' + std::string(word) + '"'));
    EXPECT_EQ(answer.finish, finish) << word;
    EXPECT_EQ(answer.native_finish, finish == Finish::Unknown ? word : "");
  }
  Answer answer;
  answer.native_finish = "tired";
  EXPECT_NE(
      write_answer(answer, {}).find(R"("finish_reason":"tired","native_finish_reason":"tired")"),
      std::string::npos);
}

TEST(OpenAiAnswer, AnErrorInsideA200IsAnError) {
  const Result<Answer> answer =
      read_answer(R"({"error":{"message":"slow down","code":429,"type":"rate_limit"}})");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().outcome(), Outcome::UpstreamRateLimit);
  EXPECT_EQ(answer.error().message(), "slow down");
}

TEST(OpenAiAnswer, AReplyWithoutAChoiceIsABadOne) {
  for (const char* body : {R"({"choices":[]})", R"({"choices":[3]})", "<html>", "{}"}) {
    const Result<Answer> answer = read_answer(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().outcome(), Outcome::UpstreamBadReply);
  }
}

TEST(OpenAiAnswer, TOK_3_CacheReadsAndWritesArePartOfPromptTokens) {
  Answer answer;
  answer.usage = chat::Usage{.plain_input = 3,
                             .cache_read = 10,
                             .cache_write = 100,
                             .cache_write_1h = 1000,
                             .visible_output = 7,
                             .reasoning = 5};
  const std::string body = write_answer(answer, {.id = "i", .model = "m", .created = 1});
  EXPECT_NE(body.find(R"("usage":{"prompt_tokens":1113,"completion_tokens":12,"total_tokens":1125,)"
                      R"("prompt_tokens_details":{"cached_tokens":10,"audio_tokens":0,)"
                      R"("cache_write_tokens":1100},"completion_tokens_details":)"
                      R"({"reasoning_tokens":5,"audio_tokens":0}})"),
            std::string::npos)
      << body;
}

TEST(OpenAiAnswer, UsageWrittenAndReadAgainIsTheSame) {
  Answer answer;
  answer.usage = chat::Usage{.plain_input = 3,
                             .cache_read = 10,
                             .cache_write = 100,
                             .audio_input = 4,
                             .visible_output = 7,
                             .reasoning = 5,
                             .audio_output = 6};
  EXPECT_EQ(read(write_answer(answer, {})).usage, answer.usage);
}

TEST(OpenAiAnswer, TOK_5_ReasoningIsCountedOnceWhereverTheProviderCountsIt) {
  const auto usage = [](const std::string& total) {
    std::string body = reply(R"("content":"a")");
    body.pop_back();
    return *read(body + R"(,"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":)" +
                 total + R"(,"completion_tokens_details":{"reasoning_tokens":15}}})")
                .usage;
  };
  const chat::Usage within{.plain_input = 10, .visible_output = 5, .reasoning = 15};
  const chat::Usage beside{.plain_input = 10, .visible_output = 20, .reasoning = 15};
  EXPECT_EQ(usage("30"), within);
  EXPECT_EQ(usage("45"), beside);
  // A total that fits neither reading, or none: as OpenAI has it.
  EXPECT_EQ(usage("77"), within);
  EXPECT_EQ(usage("null"), within);
}

TEST(OpenAiAnswer, AG_9_ThinkingNeverLeaksIntoContent) {
  Answer answer;
  for (const Part::Kind kind :
       {Part::Kind::Thinking, Part::Kind::Redacted, Part::Kind::Text, Part::Kind::ToolCall}) {
    Part& part = answer.parts.emplace_back();
    part.kind = kind;
    part.text = part.data = kind == Part::Kind::Text ? "Hi" : "secret";
    part.id = part.name = "f";
  }
  answer.finish = Finish::ToolCalls;
  const std::string body = write_answer(answer, {.id = "i", .model = "m", .created = 1});
  EXPECT_EQ(body,
            R"({"id":"i","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
            R"("message":{"role":"assistant","content":"Hi","refusal":null,"reasoning_content":)"
            R"("secret","tool_calls":[{"id":"f","type":"function","function":{"name":"f",)"
            R"("arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}]})");
}

}  // namespace
}  // namespace sluice::openai
