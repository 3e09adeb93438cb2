#include <gmock/gmock.h>

#include "providers/lab_test_server.h"

namespace sluice::providers {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHi = R"("messages":[{"role":"user","content":"hi"}])";

class LabPortkeyFaceTest : public LabServerTest {
 protected:
  std::string chat(std::string_view model, LabTestHeaders headers = {},
                   std::string_view more = "") {
    headers.emplace("x-portkey-api-key", "pk-12345678");
    return post("/portkey/v1/chat/completions",
                fmt::format(R"({{"model":"{}",{}{}}})", model, kHi, more), headers);
  }
};

TEST_F(LabPortkeyFaceTest, AReplyTellsHowItWasRouted) {
  const std::string reply =
      chat("@prod-gpt4-primary/lab/chat", {{"x-portkey-trace-id", "trace-7"}});
  EXPECT_THAT(reply, AllOf(HasSubstr("200 OK"), HasSubstr("x-portkey-trace-id: trace-7\r\n"),
                           HasSubstr("x-portkey-cache-status: DISABLED\r\n"),
                           HasSubstr("x-portkey-retry-attempt-count: 0\r\n"),
                           HasSubstr("x-portkey-last-used-option-index: config\r\n"),
                           HasSubstr("x-portkey-provider: openai\r\n"),
                           HasSubstr(R"("model":"lab/chat")")));
  EXPECT_THAT(chat("@lab/lab/chat"), HasSubstr("x-portkey-trace-id: lab-req_lab_"));
}

TEST_F(LabPortkeyFaceTest, AConfigShowsInTheHeaders) {
  const std::string config =
      R"({"strategy":{"mode":"fallback"},"cache":{"mode":"simple"},"retry":{"attempts":2},)"
      R"("targets":[{"provider":"@prod-claude-primary"},{"provider":"@lab"}]})";
  EXPECT_THAT(chat("lab/chat", {{"x-portkey-config", config}}),
              AllOf(HasSubstr("x-portkey-cache-status: MISS"),
                    HasSubstr("x-portkey-last-used-option-index: config.targets[0]"),
                    HasSubstr("x-portkey-provider: anthropic")));
  EXPECT_THAT(chat("lab/status-503", {{"x-portkey-config", config}}),
              HasSubstr("x-portkey-retry-attempt-count: -1"));
}

TEST_F(LabPortkeyFaceTest, AnErrorOfTheVendorIsPassedOnWithItsName) {
  const std::string reply = chat("@prod-claude-primary/lab/status-429-retry-7");
  EXPECT_EQ(lab_status(reply), 429);
  EXPECT_THAT(reply, AllOf(HasSubstr("Retry-After: 7"), HasSubstr("x-portkey-provider: anthropic"),
                           HasSubstr(R"({"error":{"message":"anthropic error: Rate limit)"),
                           HasSubstr(R"(},"provider":"anthropic"})")));
  EXPECT_THAT(chat("@lab/lab/nobody"),
              AllOf(HasSubstr(" 404 "), HasSubstr(R"("message":"openai error: The model)")));
  EXPECT_THAT(chat("lab/chat", {{"x-portkey-provider", "openai"}}),
              AllOf(HasSubstr(" 401 "), HasSubstr("openai error: You didn't provide an API key.")));
}

TEST_F(LabPortkeyFaceTest, AnErrorOfPortkeyNamesNoVendor) {
  for (const auto& [model, status, body] :
       {std::tuple("@stranger/lab/chat", 400, "Invalid provider passed"),
        {"@lab/lab/portkey-failure", 500, "Something went wrong"},
        {"@lab/lab/portkey-down-503", 503, R"({"status":"failure")"},
        {"@lab/lab/portkey-budget", 412, "Budget"},
        {"@lab/lab/portkey-rate-limit", 429, R"({"status":"failure")"},
        {"@lab/lab/portkey-guardrail", 446, R"("hook_results":{)"}}) {
    const std::string reply = chat(model);
    EXPECT_EQ(lab_status(reply), status) << model;
    EXPECT_THAT(reply, AllOf(HasSubstr(body), HasSubstr("x-portkey-trace-id: "),
                             Not(HasSubstr("x-portkey-provider")), Not(HasSubstr("x-request-id"))));
  }
  EXPECT_THAT(chat("@lab/lab/portkey-failure"), HasSubstr("x-portkey-gateway-exception: true"));
  EXPECT_THAT(chat("@lab/lab/portkey-budget"), Not(HasSubstr("gateway-exception")));
}

TEST_F(LabPortkeyFaceTest, AGuardrailThatLetsPassAnswersWith246) {
  EXPECT_THAT(chat("@lab/lab/chat+portkey-246"),
              AllOf(HasSubstr("HTTP/1.1 246"), HasSubstr(R"({"hook_results":{)"),
                    HasSubstr(R"("object":"chat.completion")")));
  EXPECT_THAT(chat("@lab/lab/fast+portkey-246", {}, R"(,"stream":true)"),
              AllOf(HasSubstr("HTTP/1.1 246"), HasSubstr("[DONE]")));
}

TEST_F(LabPortkeyFaceTest, ABodyThatIsNoJsonIsPortkeysOwnFailure) {
  const std::string reply = post("/portkey/v1/chat/completions", "{",
                                 {{"x-portkey-api-key", "pk"}, {"x-portkey-provider", "@lab"}});
  EXPECT_THAT(reply, AllOf(HasSubstr(" 500 "), HasSubstr("x-portkey-gateway-exception: true"),
                           HasSubstr("Something went wrong")));
}

TEST_F(LabPortkeyFaceTest, TheRequestTimeoutIsKept) {
  const auto peer =
      send(text_of("POST", "/portkey/v1/chat/completions",
                   {{"x-portkey-api-key", "pk"}, {"x-portkey-request-timeout", "500"}},
                   fmt::format(R"({{"model":"@lab/lab/first-token-800",{}}})", kHi)));
  EXPECT_EQ(peer->received(), "");
  pass(500 * kMillisecond);
  EXPECT_THAT(peer->received(), AllOf(HasSubstr(" 408 "),
                                      HasSubstr("exceeded the timeout sent in the request: 500ms"),
                                      HasSubstr(R"("type":"timeout_error")")));
}

TEST_F(LabPortkeyFaceTest, AReplyWithinTheTimeoutComes) {
  EXPECT_EQ(lab_status(chat("@lab/lab/chat", {{"x-portkey-request-timeout", "500"}})), 200);
}

TEST_F(LabPortkeyFaceTest, MessagesAndEmbeddingsGoTheSameWay) {
  const LabTestHeaders headers = {{"x-portkey-api-key", "pk"},
                                  {"x-portkey-virtual-key", "prod-claude-primary"}};
  EXPECT_THAT(post("/portkey/v1/messages",
                   fmt::format(R"({{"model":"lab/claude","max_tokens":20,{}}})", kHi), headers),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("type":"message")"),
                    HasSubstr("x-portkey-provider: anthropic")));
  EXPECT_THAT(post("/portkey/v1/embeddings",
                   R"({"model":"@lab/text-embedding-3-small","input":"hi"})", headers),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("object":"embedding")")));
  EXPECT_THAT(post("/portkey/v1/responses", R"({"model":"@lab/lab/chat","input":"hi"})", headers),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("object":"response")"),
                    HasSubstr("x-portkey-provider: openai")));
}

TEST_F(LabPortkeyFaceTest, ModelsNeedTheKey) {
  EXPECT_EQ(lab_status(get("/portkey/v1/models")), 401);
  EXPECT_THAT(get("/portkey/v1/models", {{"x-portkey-api-key", "pk"}}),
              HasSubstr(R"("id":"lab/chat")"));
}

TEST_F(LabPortkeyFaceTest, ThePortkeyKeyIsNotShown) {
  chat("@lab/lab/chat");
  EXPECT_THAT(get("/lab/last"), AllOf(HasSubstr("...5678"), Not(HasSubstr("pk-12345678"))));
}

}  // namespace
}  // namespace sluice::providers
