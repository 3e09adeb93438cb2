#include "wire/responses.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::responses {
namespace {

chat::Request request_of(std::string_view body) {
  Result<chat::Request> request = decode_request(body);
  if (request) return std::move(*request);
  ADD_FAILURE() << request.error().message();
  return {};
}

TEST(ResponsesRequest, TR_1_TheBodyIsTheClientsButForTheModel) {
  const std::string body =
      "{ \"temperature\" : 0.70, \"input\":\"Gr\\u00fc\\u00dfe\",\"model\" : "
      "\"a\",\"future\":[1e2]}";
  const chat::Request request = request_of(body);
  EXPECT_EQ(encode_request(request, "a").str(), body);
  EXPECT_EQ(encode_request(request, "b\"c").str(),
            "{ \"temperature\" : 0.70, \"input\":\"Gr\\u00fc\\u00dfe\",\"model\" : "
            "\"b\\\"c\",\"future\":[1e2]}");
}

TEST(ResponsesRequest, AG_4_AChatBodySaysWhereItBelongs) {
  const Result<chat::Request> request =
      decode_request(R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  ASSERT_FALSE(request.has_value());
  EXPECT_NE(request.error().message().find("/v1/chat/completions"), std::string::npos);
}

TEST(ResponsesRequest, AG_5_FindsWhateverRefersToEarlierAnswers) {
  const chat::Request request =
      request_of(R"({"model":"m","previous_response_id":"resp_1","conversation":{"id":"conv_1"},)"
                 R"("prompt":{"id":"pmpt_1"},"background":true,"store":false,"input":[)"
                 R"({"type":"item_reference","id":"msg_1"},{"id":"msg_2"},)"
                 R"({"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"},)"
                 R"({"type":"message","role":"assistant","id":"msg_3","content":"x"}]})");
  ASSERT_NE(request.references, nullptr);
  const chat::References& known = *request.references;
  EXPECT_EQ(known.previous_response, "resp_1");
  EXPECT_EQ(known.conversation, "conv_1");
  EXPECT_EQ(known.prompt, "pmpt_1");
  EXPECT_EQ(known.items, (std::vector<std::string>{"msg_1", "msg_2"}));
  EXPECT_EQ(known.reasoning, (std::vector<std::string>{"rs_1", "sealed:gAAA"}));
  EXPECT_TRUE(known.encrypted);
  EXPECT_TRUE(known.own_reasoning.empty());
  EXPECT_TRUE(request.background);
  EXPECT_FALSE(request.store);
}

TEST(ResponsesRequest, N8N_4_ReasoningOfAnotherDialectIsNotSentToAnUpstreamOfThisOne) {
  const std::string ours =
      R"({"type":"reasoning","id":"rs_1","encrypted_content":"sluice:signature:c2ln"})";
  const std::string other = R"({"role":"user","content":"x"})";
  const std::pair<std::string, std::string> cases[] = {
      {ours, ""},
      {ours + "," + other, other},
      {other + " , " + ours, other},
      {ours + " , " + ours + "," + other, other},
      {other + "," + ours + "," + ours + "," + other, other + "," + other},
      {ours + "," + ours, ""},
      {ours + "," + other + "," + ours, other},
  };
  for (const auto& [input, kept] : cases) {
    for (const bool model_first : {true, false}) {
      const auto body = [&](const std::string& model, const std::string& items) {
        const std::string named = R"("model":")" + model + "\"";
        const std::string sent = "\"input\":[" + items + "]";
        return "{" + (model_first ? named + "," + sent : sent + "," + named) + "}";
      };
      const std::string whole = body("m", input);
      const chat::Request request = request_of(whole);
      ASSERT_NE(request.references, nullptr);
      EXPECT_FALSE(request.references->encrypted);
      EXPECT_TRUE(request.references->reasoning.empty());
      std::string sent = encode_request(request, "vendor/m").str();
      std::erase(sent, ' ');
      EXPECT_EQ(sent, body("vendor/m", kept)) << input;
    }
  }
}

TEST(ResponsesRequest, ARequestThatRefersToNothingCarriesNothing) {
  const chat::Request request = request_of(R"({"model":"m","input":"x"})");
  EXPECT_EQ(request.references, nullptr);
  EXPECT_TRUE(request.store);
  EXPECT_FALSE(request.background);
  EXPECT_EQ(request.endpoint, chat::Endpoint::Responses);
}

TEST(ResponsesRequest, ImagesAreNoPromptText) {
  const std::string image(100'000, 'A');
  const chat::Request request = request_of(
      R"({"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"abc"},)"
      R"({"type":"input_image","image_url":"data:image/png;base64,)" +
      image + R"("}]}]})");
  EXPECT_EQ(request.prompt_bytes, 3);
  EXPECT_FALSE(request.only_text);
}

TEST(ResponsesRequest, KnowsWhetherThereIsOnlyText) {
  const auto only_text = [](std::string_view item) {
    const std::string body = R"({"model":"m","input":[)" + std::string(item) + "]}";
    return request_of(body).only_text;
  };
  EXPECT_TRUE(only_text(
      R"({"role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]})"));
  EXPECT_FALSE(only_text(
      R"({"role":"user","content":[{"type":"input_image","image_url":"https://a/b.png"}]})"));
  EXPECT_FALSE(only_text(R"({"role":"user","content":[{"type":"input_file","file_id":"f"}]})"));
  EXPECT_FALSE(only_text(
      R"({"type":"computer_call_output","call_id":"c","output":{"type":"computer_screenshot"}})"));
}

}  // namespace
}  // namespace sluice::responses
