#include <gmock/gmock.h>

#include "providers/lab_test_server.h"

namespace sluice::providers {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const LabTestHeaders kPat = {{"Authorization", "Bearer pat-lab"},
                             {"X-Snowflake-Authorization-Token-Type", "PROGRAMMATIC_ACCESS_TOKEN"}};
constexpr std::string_view kRoot = "/snowflake/api/v2/cortex";
constexpr std::string_view kHi = R"("messages":[{"role":"user","content":"hi"}])";

class LabSnowflakeFaceTest : public LabServerTest {
 protected:
  std::string ask(std::string_view path, std::string_view body,
                  const LabTestHeaders& headers = kPat) {
    return post(fmt::format("{}{}", kRoot, path), body, headers);
  }
  std::string chat(std::string_view more, std::string_view model = "llama3.3-70b") {
    return ask("/v1/chat/completions", fmt::format(R"({{"model":"{}",{}{}}})", model, kHi, more));
  }
  std::string complete(std::string_view more, std::string_view model = "claude-sonnet-4-5") {
    return ask("/inference:complete", fmt::format(R"({{"model":"{}",{}{}}})", model, kHi, more));
  }
};

TEST_F(LabSnowflakeFaceTest, ChatSpeaksAsOpenAiWithSnowflakesBounds) {
  const std::string reply = chat("");
  EXPECT_EQ(lab_status(reply), 200);
  EXPECT_THAT(reply, AllOf(HasSubstr("X-Snowflake-Request-ID: "),
                           HasSubstr(R"("object":"chat.completion")"),
                           HasSubstr(R"("model":"llama3.3-70b")")));
  EXPECT_EQ(lab_status(chat(R"(,"max_tokens":10)")), 400);
  EXPECT_EQ(lab_status(chat(R"(,"max_completion_tokens":131073)")), 400);
  EXPECT_EQ(lab_status(chat(R"(,"max_completion_tokens":100)")), 200);
}

TEST_F(LabSnowflakeFaceTest, ErrorsHaveSnowflakesShape) {
  const std::string reply = chat(R"(,"max_tokens":10)");
  EXPECT_THAT(reply, AllOf(HasSubstr(R"({"message":"'max_tokens' is not supported.)"),
                           HasSubstr(R"("code":"390400","error_code":"390400","request_id":")")));
  EXPECT_THAT(chat("", "gpt-nobody"), HasSubstr(R"("message":"unknown model \"gpt-nobody\")"));
  EXPECT_THAT(chat("", "llama3.3-70b+status-429"), HasSubstr(R"("code":"390429")"));
}

TEST_F(LabSnowflakeFaceTest, ARefusedTokenIsExplainedToTheOwnerOfTheLabOnly) {
  const std::string reply = ask("/v1/chat/completions", "{}", {{"Authorization", "Bearer a.b.c"}});
  EXPECT_EQ(lab_status(reply), 401);
  EXPECT_THAT(reply, AllOf(HasSubstr(R"("code":"390144")"), Not(HasSubstr("registered"))));
  EXPECT_THAT(get("/lab/last"), HasSubstr(R"("refused":"no public key is registered"})"));
}

TEST_F(LabSnowflakeFaceTest, WithoutARoleItIsForbidden) {
  EXPECT_EQ(
      lab_status(ask("/inference:complete", "{}", {{"Authorization", "Bearer pat-lab-norole"}})),
      403);
}

TEST_F(LabSnowflakeFaceTest, MessagesAreForModelsOfAnthropicOnly) {
  const auto messages = [this](std::string_view model) {
    return ask("/v1/messages", fmt::format(R"({{"model":"{}","max_tokens":20,{}}})", model, kHi));
  };
  EXPECT_THAT(messages("claude-sonnet-4-5"),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("type":"message")")));
  EXPECT_THAT(messages("llama3.3-70b"),
              AllOf(HasSubstr(" 400 "), HasSubstr("unknown model"), HasSubstr("error_code")));
  EXPECT_EQ(lab_status(messages("claude-sonnet-4-5+status-503")), 503);
}

TEST_F(LabSnowflakeFaceTest, CompleteStreamsUnlessAskedNotToAndEndsWithoutDone) {
  const std::string reply = complete("");
  EXPECT_THAT(reply, AllOf(HasSubstr("text/event-stream"), Not(HasSubstr("[DONE]")),
                           HasSubstr(R"("choices":[{"delta":{"type":"text","content":")"),
                           HasSubstr(R"("usage":{}})"),
                           HasSubstr(R"("usage":{"prompt_tokens":1,"completion_tokens":)")));
  const size_t usage = reply.find(R"("guard_tokens":0)");
  ASSERT_NE(usage, std::string::npos);
  EXPECT_EQ(reply.find("data: ", usage), std::string::npos);  // it came last
}

TEST_F(LabSnowflakeFaceTest, ABufferedCompletionHasContentAndItsList) {
  const std::string reply = complete(R"(,"stream":false)");
  EXPECT_THAT(reply, AllOf(HasSubstr(R"({"choices":[{"message":{"content":")"),
                           HasSubstr(R"("content_list":[{"type":"text","text":")"),
                           HasSubstr(R"("cache_read_input_tokens":0)")));
}

TEST_F(LabSnowflakeFaceTest, ToolCallsAreToolUses) {
  constexpr std::string_view kTool =
      R"(,"tools":[{"tool_spec":{"type":"generic","name":"get_weather","input_schema":)"
      R"({"type":"object","properties":{"city":{"type":"string"}}}}}],)"
      R"("tool_choice":{"type":"required"})";
  EXPECT_THAT(complete(kTool), AllOf(HasSubstr(R"({"type":"tool_use","tool_use_id":"call_lab)"),
                                     HasSubstr(R"("name":"get_weather"}}],"usage":{}})"),
                                     HasSubstr(R"({"type":"tool_use","input":")")));
  EXPECT_THAT(complete(std::string(kTool) + R"(,"stream":false)"),
              HasSubstr(R"("tool_use":{"tool_use_id":"call_lab)"));
}

TEST_F(LabSnowflakeFaceTest, AnEmbeddingIsAVectorInAList) {
  const std::string reply = ask(
      "/inference:embed", R"({"model":"snowflake-arctic-embed-m","text":["one","two","three"]})");
  EXPECT_THAT(reply,
              AllOf(HasSubstr(R"("embedding":[[)"), HasSubstr(R"("index":2)"),
                    HasSubstr(R"("usage":{"total_tokens":)"), Not(HasSubstr("prompt_tokens"))));
  const std::string_view first =
      std::string_view(reply).substr(reply.find("[[") + 2, reply.find("]]") - reply.find("[["));
  EXPECT_EQ(std::ranges::count(first, ','), 767);
  EXPECT_EQ(lab_status(ask("/inference:embed", R"({"model":"llama3.3-70b","text":["one"]})")), 400);
}

TEST_F(LabSnowflakeFaceTest, TheMeterTellsHowManyTextsACallCarried) {
  ask("/inference:embed", R"({"model":"e5-base-v2","text":["one","two","three"]})");
  ask("/inference:embed", R"({"model":"e5-base-v2","text":["four"]})");
  EXPECT_THAT(get("/lab/meter"), AllOf(HasSubstr(R"("requests":2)"),
                                       HasSubstr(R"("embedded_texts":4,"most_texts_per_call":3)")));
}

TEST_F(LabSnowflakeFaceTest, ModelsAreNamesForThoseWhoMayCall) {
  EXPECT_THAT(get(fmt::format("{}/models", kRoot), kPat),
              HasSubstr(R"({"models":["claude-opus-4-5",)"));
  EXPECT_EQ(lab_status(get(fmt::format("{}/models", kRoot))), 401);
  EXPECT_THAT(get("/lab/last"), HasSubstr(R"("refused":"no Authorization"})"));
  EXPECT_EQ(lab_status(get(fmt::format("{}/v1/models", kRoot), kPat)), 404);
}

}  // namespace
}  // namespace sluice::providers
