#include <gmock/gmock.h>

#include "providers/lab_test_server.h"

namespace sluice::providers {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHi = R"("messages":[{"role":"user","content":"hi"}])";
const LabTestHeaders kKey = {{"Authorization", "Bearer sk-or-lab"}};

class LabOpenRouterFaceTest : public LabServerTest {
 protected:
  std::string chat(std::string_view model, std::string_view more = "") {
    return post("/openrouter/api/v1/chat/completions",
                fmt::format(R"({{"model":"{}",{}{}}})", model, kHi, more), kKey);
  }
};

TEST_F(LabOpenRouterFaceTest, AReplyTellsWhoAnsweredAndWhatItCost) {
  const std::string reply = chat("openai/gpt-5-mini");
  EXPECT_THAT(
      reply, AllOf(HasSubstr("200 OK"), HasSubstr("X-Generation-Id: gen-lab"),
                   HasSubstr(R"({"id":"gen-lab)"), HasSubstr(R"("provider":"Openai")"),
                   HasSubstr(R"("finish_reason":"stop","native_finish_reason":"completed")"),
                   HasSubstr(R"(,"cost":0.000)"),
                   HasSubstr(R"("is_byok":false,"cost_details":{"upstream_inference_cost":null)")));
  EXPECT_THAT(chat("openai/gpt-5-mini:free"), HasSubstr(R"(,"cost":0,)"));
}

TEST_F(LabOpenRouterFaceTest, AStreamHasCommentsAndOneUsage) {
  const std::string reply = chat("lab/chat:nitro", R"(,"stream":true)");
  EXPECT_LT(reply.find(": OPENROUTER PROCESSING"), reply.find("data: "));
  EXPECT_GT(reply.rfind(": OPENROUTER PROCESSING"), reply.find("data: "));
  EXPECT_THAT(reply, AllOf(Not(HasSubstr(R"("usage":null)")), HasSubstr(R"("choices":[],"usage")"),
                           HasSubstr("data: [DONE]")));
}

TEST_F(LabOpenRouterFaceTest, AFailureInAStreamHasItsShape) {
  const std::string reply = chat("lab/chat+error-after-2", R"(,"stream":true)");
  EXPECT_THAT(reply, AllOf(HasSubstr(R"("error":{"code":502,"message":"Provider returned error")"),
                           HasSubstr(R"("error_type":"provider_unavailable")"),
                           HasSubstr(R"("finish_reason":"error")"), Not(HasSubstr("[DONE]"))));
  EXPECT_THAT(chat("lab/chat+rate-limit-after-2", R"(,"stream":true)"),
              HasSubstr(R"("error":{"code":429)"));
}

TEST_F(LabOpenRouterFaceTest, ErrorsAreTyped) {
  EXPECT_THAT(chat("lab/status-402"),
              AllOf(HasSubstr(" 402 "), HasSubstr(R"({"error":{"code":402,"message":")"),
                    HasSubstr(R"("metadata":{"error_type":"payment_required"}})")));
  EXPECT_THAT(chat("lab/quota"), HasSubstr(" 402 "));
  EXPECT_THAT(chat("lab/status-429"),
              AllOf(HasSubstr("X-RateLimit-Limit: 20"), HasSubstr("X-RateLimit-Reset: ")));
  EXPECT_THAT(chat("lab/chat"), Not(HasSubstr("X-RateLimit")));
  EXPECT_THAT(chat("nobody/nothing"),
              AllOf(HasSubstr(" 400 "), HasSubstr("is not a valid model ID"),
                    HasSubstr(R"("availability":{"code":"model_not_found")")));
  EXPECT_THAT(chat("lab/openrouter-choice-error"),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("error":{"code":502)")));
  EXPECT_THAT(chat("lab/error-200"), AllOf(HasSubstr("200 OK"), HasSubstr(R"({"error":{"code":)")));
}

TEST_F(LabOpenRouterFaceTest, OnlyItsOwnKeysAreGood) {
  const auto with = [this](const LabTestHeaders& headers) {
    return post("/openrouter/api/v1/chat/completions", "{}", headers);
  };
  EXPECT_THAT(with({}), AllOf(HasSubstr(" 401 "), HasSubstr("No auth credentials found")));
  EXPECT_THAT(with({{"Authorization", "Bearer sk-1"}}), HasSubstr("User not found."));
  EXPECT_THAT(with({{"Authorization", "Bearer sk-or-invalid"}}), HasSubstr("User not found."));
}

TEST_F(LabOpenRouterFaceTest, ModelsFallBackInOrder) {
  const std::string reply =
      chat("lab/status-503", R"(,"models":["nobody/nothing","lab/fast","lab/chat"])");
  EXPECT_THAT(reply, AllOf(HasSubstr("200 OK"), HasSubstr(R"("model":"lab/fast")")));
  EXPECT_EQ(lab_status(chat("lab/status-503", R"(,"models":["lab/status-502"])")), 502);
  EXPECT_EQ(lab_status(post("/openrouter/api/v1/chat/completions",
                            fmt::format(R"({{"models":["lab/fast"],{}}})", kHi), kKey)),
            200);
}

TEST_F(LabOpenRouterFaceTest, TheProviderObjectKnowsItsMembersOnly) {
  EXPECT_EQ(lab_status(chat("lab/chat", R"(,"provider":{"order":["a"],"allow_fallbacks":false,)"
                                        R"("sort":{"by":"price"},"max_price":{"prompt":1},)"
                                        R"("preferred_max_latency":{"p90":2},)"
                                        R"("quantizations":["fp8"],"data_collection":"deny"})")),
            200);
  for (const std::string_view bad :
       {R"({"fallbacks":true})", R"({"order":"a"})", R"({"allow_fallbacks":"no"})",
        R"({"data_collection":"maybe"})", R"({"quantizations":["int3"]})", R"({"sort":"cheap"})",
        R"({"max_price":{"tokens":1}})", R"({"preferred_max_latency":{"p42":1}})", R"(["a"])"}) {
    EXPECT_EQ(lab_status(chat("lab/chat", fmt::format(R"(,"provider":{})", bad))), 400) << bad;
  }
}

TEST_F(LabOpenRouterFaceTest, TheExtrasAreChecked) {
  EXPECT_EQ(lab_status(chat("lab/chat", R"(,"plugins":[{"id":"web"}],"transforms":["middle-out"],)"
                                        R"("reasoning":{"effort":"low"},"top_k":5,"min_p":0.1)")),
            200);
  for (const std::string_view bad :
       {R"("plugins":[{"id":"dance"}])", R"("route":"scenic")", R"("transforms":"middle-out")",
        R"("reasoning":{"effort":"vast"})", R"("min_p":2)", R"("models":"lab/fast")"}) {
    EXPECT_EQ(lab_status(chat("lab/chat", fmt::format(",{}", bad))), 400) << bad;
  }
  EXPECT_EQ(lab_status(chat("lab/chat:turbo")), 400);
}

TEST_F(LabOpenRouterFaceTest, ModelsComeInPagesWithPricesAsStrings) {
  EXPECT_THAT(get("/openrouter/api/v1/models"),
              AllOf(HasSubstr(R"("id":"openai/gpt-5-mini")"),
                    HasSubstr(R"("pricing":{"prompt":"0.000001","completion":"0.000004")"),
                    HasSubstr(R"("links":{"next":null}})")));
  const std::string page = get("/openrouter/api/v1/models?offset=1&limit=2");
  EXPECT_THAT(page, AllOf(Not(HasSubstr(R"("id":"openai/gpt-5-mini")")),
                          HasSubstr(R"("id":"openai/gpt-5")"),
                          HasSubstr(R"("next":"/api/v1/models?offset=3&limit=2")")));
}

TEST_F(LabOpenRouterFaceTest, AListSaysWhichPricesVaryAndWhichAreNothing) {
  const std::string page = get("/openrouter/api/v1/models");
  EXPECT_THAT(page, HasSubstr(R"("pricing":{"prompt":"-1","completion":"-1"})"));
  const size_t free = page.find(R"("id":"meta-llama/llama-3.3-70b-instruct:free")");
  ASSERT_NE(free, std::string::npos);
  EXPECT_THAT(page.substr(free), HasSubstr(R"("pricing":{"prompt":"0","completion":"0")"));
}

TEST_F(LabOpenRouterFaceTest, APriceFactorIsInTheListAndInWhatIsCharged) {
  const std::string usual = chat("lab/fast");
  state.options.price_factor = 3;
  EXPECT_THAT(get("/openrouter/api/v1/models"),
              HasSubstr(R"("pricing":{"prompt":"0.000003","completion":"0.000012")"));
  const auto cost = [](const std::string& reply) {
    const size_t at = reply.find(R"("cost":)");
    return at == std::string::npos ? -1.0 : std::stod(reply.substr(at + 7));
  };
  EXPECT_DOUBLE_EQ(cost(chat("lab/fast")), 3 * cost(usual));
  EXPECT_GT(cost(usual), 0);
}

TEST_F(LabOpenRouterFaceTest, TheKeyAndItsCreditsAreShownToThoseWhoMay) {
  EXPECT_THAT(get("/openrouter/api/v1/key", kKey), HasSubstr(R"("limit_remaining":74.25)"));
  EXPECT_EQ(lab_status(get("/openrouter/api/v1/key")), 401);
  EXPECT_EQ(lab_status(get("/openrouter/api/v1/credits", kKey)), 403);
  EXPECT_THAT(get("/openrouter/api/v1/credits", {{"Authorization", "Bearer sk-or-management-1"}}),
              HasSubstr(R"({"data":{"total_credits":100.5,"total_usage":25.75}})"));
}

TEST_F(LabOpenRouterFaceTest, MessagesSpeakAsAnthropicDoes) {
  EXPECT_THAT(
      post("/openrouter/api/v1/messages",
           fmt::format(R"({{"model":"anthropic/claude-sonnet-4.5","max_tokens":20,{}}})", kHi),
           kKey),
      AllOf(HasSubstr("200 OK"), HasSubstr(R"("type":"message")"),
            HasSubstr("X-Generation-Id: gen-")));
}

TEST_F(LabOpenRouterFaceTest, ResponsesSpeakAsOpenAiDoes) {
  EXPECT_THAT(post("/openrouter/api/v1/responses", R"({"model":"lab/chat","input":"hi"})", kKey),
              AllOf(HasSubstr("200 OK"), HasSubstr(R"("object":"response")")));
}

}  // namespace
}  // namespace sluice::providers
